"""The numbers of all that is numbered in the paper's two printed forms; none of its text.

There is no eq. 10 in either.  The appendix and the two algorithms are in the arXiv form only.
"""

PRINCIPLES = ["1", "1.a", "2", "3", "4", "5"]
PARTS_OF_FIGURE_1 = ["1(a)", "1(b)", "1(c)"]

ARXIV = {
    "eq.": [str(n) for n in range(1, 66) if n != 10],
    "Definition": ["1"],
    "Assumption": ["1"],
    "Principle": PRINCIPLES,
    "Remark": ["1", "2", "3", "4", "5", "6"],
    "Theorem": ["1"],
    "Prop.": ["1", "2", "3", "4", "5", "6"],
    "Corollary": ["1"],
    "Algorithm": ["1", "2"],
    "Fig.": PARTS_OF_FIGURE_1,
}

CVPR = {
    "eq.": [str(n) for n in range(1, 41) if n != 10],
    "Definition": ["1"],
    "Assumption": ["1"],
    "Principle": PRINCIPLES,
    "Remark": ["1", "2", "3", "4", "5", "6", "7"],
    "Theorem": ["1"],
    "Prop.": ["1", "2", "3", "4", "5", "6"],
    "Fig.": PARTS_OF_FIGURE_1,
}
