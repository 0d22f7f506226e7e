"""The loss surface: ranks, principles, the exact Hessian, and what a point on it is."""

from ggn.surface.advice import Advice, Suggestion
from ggn.surface.as_printed import printed_bounds
from ggn.surface.bounds import Bound, Premise
from ggn.surface.diagnosis import Diagnosis
from ggn.surface.evidence import Evidence, EvidenceKind, Verdict
from ggn.surface.factorisations import RowBlock, jacobian_factors, row_blocks
from ggn.surface.feasibility import obstructions
from ggn.surface.finding import Finding, Findings, Outcome
from ggn.surface.flat_units import LayerSaturation, SaturatedUnit, Saturation, saturation
from ggn.surface.hessian_rank import hessian_bound
from ggn.surface.inequalities import (
    frobenius,
    khatri_rao_bounds,
    khatri_rao_rank,
    kronecker_rank,
    selection_ranks,
    sylvester,
)
from ggn.surface.linear_networks import LinearNetworkRanks, linear_network_ranks
from ggn.surface.obstruction import Obstruction, ObstructionKind, lower_bound
from ggn.surface.principles import check_principles
from ggn.surface.rank import NumericalRank, SampleRanks, numerical_rank
from ggn.surface.rank_report import RankReport, ranks
from ggn.surface.runaway import RunawayRay, runaway_ray
from ggn.surface.stationary import StationaryPoint, StationaryPoints, stationary_points
from ggn.surface.symmetry import Symmetry
from ggn.surface.theorem_1 import Certificate, certificate
from ggn.surface.verdict import diagnose

__all__ = [
    "Advice",
    "Bound",
    "Certificate",
    "Diagnosis",
    "Evidence",
    "EvidenceKind",
    "Finding",
    "Findings",
    "LayerSaturation",
    "LinearNetworkRanks",
    "NumericalRank",
    "Obstruction",
    "ObstructionKind",
    "Outcome",
    "Premise",
    "RankReport",
    "RowBlock",
    "RunawayRay",
    "SampleRanks",
    "SaturatedUnit",
    "Saturation",
    "StationaryPoint",
    "StationaryPoints",
    "Suggestion",
    "Symmetry",
    "Verdict",
    "certificate",
    "check_principles",
    "diagnose",
    "frobenius",
    "hessian_bound",
    "jacobian_factors",
    "khatri_rao_bounds",
    "khatri_rao_rank",
    "kronecker_rank",
    "linear_network_ranks",
    "lower_bound",
    "numerical_rank",
    "obstructions",
    "printed_bounds",
    "ranks",
    "row_blocks",
    "runaway_ray",
    "saturation",
    "selection_ranks",
    "stationary_points",
    "sylvester",
]
