"""The loss surface: ranks, principles, the exact Hessian, and what a point on it is."""

from ggn.surface.bounds import Bound, Premise
from ggn.surface.certificate import Certificate, certificate
from ggn.surface.diagnose import diagnose
from ggn.surface.diagnosis import Diagnosis, Verdict
from ggn.surface.factorisations import RowBlock, jacobian_factors, row_blocks
from ggn.surface.feasibility import obstructions
from ggn.surface.finding import Finding, Outcome
from ggn.surface.hessian import hessian_bound
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
from ggn.surface.printed_bounds import printed_bounds
from ggn.surface.rank import NumericalRank, SampleRanks, numerical_rank
from ggn.surface.rank_report import RankReport, ranks
from ggn.surface.runaway import RunawayRay, runaway_ray
from ggn.surface.saturation import LayerSaturation, SaturatedUnit, Saturation, saturation
from ggn.surface.stationary import StationaryPoint, StationaryPoints, stationary_points
from ggn.surface.symmetry import Symmetry

__all__ = [
    "Bound",
    "Certificate",
    "Diagnosis",
    "Finding",
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
