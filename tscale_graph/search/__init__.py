"""Search trees and the policies that grow them: pure, on arrays; no graph, no model, no clock."""
