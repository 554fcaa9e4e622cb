"""The nodes of `wake`: finding what was prepared, and answering from that or asking."""
