"""When to stop sampling: pure rules on the votes, verdicts and scores so far.

A rule never looks at a model or a clock. It answers two questions: whether the matter is
settled, and how many further samples it would take at the least to settle it, which is the size
of the next wave: sampling in parallel then never buys a sample that sampling one at a time
would surely not have bought.
"""

from tscale_graph.stopping.answer_prior import AnswerPrior
from tscale_graph.stopping.dirichlet import Dirichlet, probability_of_mode
from tscale_graph.stopping.distributions import probability_of_lead
from tscale_graph.stopping.finishing import FirstToFinish
from tscale_graph.stopping.named import NEED_VERIFIER, RULES, stopping_rule
from tscale_graph.stopping.scored import ExpectedImprovement, ScorePrior
from tscale_graph.stopping.standing import Standing, StoppingRule
from tscale_graph.stopping.value import ValueOfInformation
from tscale_graph.stopping.verified import FirstPass, Sprt
from tscale_graph.stopping.voting import Beta, FirstToLeadBy, Fixed, Window
from tscale_graph.stopping.waves import can_still_change, wave_size

__all__ = [
    "NEED_VERIFIER",
    "RULES",
    "AnswerPrior",
    "Beta",
    "Dirichlet",
    "ExpectedImprovement",
    "FirstPass",
    "FirstToFinish",
    "FirstToLeadBy",
    "Fixed",
    "ScorePrior",
    "Sprt",
    "Standing",
    "StoppingRule",
    "ValueOfInformation",
    "Window",
    "can_still_change",
    "probability_of_lead",
    "probability_of_mode",
    "stopping_rule",
    "wave_size",
]
