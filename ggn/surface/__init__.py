"""The loss surface: ranks, principles, the exact Hessian, and what a point on it is."""

from ggn.surface.bounds import Bound, Premise
from ggn.surface.certificate import Certificate, certificate
from ggn.surface.diagnose import diagnose
from ggn.surface.diagnosis import Diagnosis, Verdict
from ggn.surface.factorisations import RowBlock, jacobian_factors, row_blocks
from ggn.surface.feasibility import obstructions
from ggn.surface.finding import Finding, Findings, Outcome
from ggn.surface.inequalities import frobenius, khatri_rao_rank, kronecker_rank, sylvester
from ggn.surface.linear_networks import LinearNetworkRanks, linear_network_ranks
from ggn.surface.obstruction import Obstruction, ObstructionKind, lower_bound
from ggn.surface.principles import check_principles
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
    "Symmetry",
    "Verdict",
    "certificate",
    "check_principles",
    "diagnose",
    "frobenius",
    "jacobian_factors",
    "khatri_rao_rank",
    "kronecker_rank",
    "linear_network_ranks",
    "lower_bound",
    "numerical_rank",
    "obstructions",
    "ranks",
    "row_blocks",
    "runaway_ray",
    "saturation",
    "stationary_points",
    "sylvester",
]
