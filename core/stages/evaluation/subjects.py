"""C-Eval's 52 subjects, by the groups its authors sort them into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from core.translation import N_


class Group(StrEnum):
    """A group of subjects, named as in OpenCompass's summaries."""

    STEM = "stem"
    SOCIAL_SCIENCE = "social-science"
    HUMANITIES = "humanities"
    OTHER = "other"


HARD = "hard"
"""Eight subjects of STEM once more, as a group of their own."""
AVERAGE = "average"
"""All subjects; a summary calls it plainly `ceval`."""

GROUP_TITLES: Mapping[str, str] = {
    Group.STEM: N_("STEM"),
    Group.SOCIAL_SCIENCE: N_("Social science"),
    Group.HUMANITIES: N_("Humanities"),
    Group.OTHER: N_("Other subjects"),
    HARD: N_("Hard subjects"),
    AVERAGE: N_("All of C-Eval"),
}

SUBJECTS: Mapping[Group, Mapping[str, str]] = {
    Group.STEM: {
        "computer_network": N_("Computer network"),
        "operating_system": N_("Operating system"),
        "computer_architecture": N_("Computer architecture"),
        "college_programming": N_("College programming"),
        "college_physics": N_("College physics"),
        "college_chemistry": N_("College chemistry"),
        "advanced_mathematics": N_("Advanced mathematics"),
        "probability_and_statistics": N_("Probability and statistics"),
        "discrete_mathematics": N_("Discrete mathematics"),
        "electrical_engineer": N_("Electrical engineer"),
        "metrology_engineer": N_("Metrology engineer"),
        "high_school_mathematics": N_("High school mathematics"),
        "high_school_physics": N_("High school physics"),
        "high_school_chemistry": N_("High school chemistry"),
        "high_school_biology": N_("High school biology"),
        "middle_school_mathematics": N_("Middle school mathematics"),
        "middle_school_biology": N_("Middle school biology"),
        "middle_school_physics": N_("Middle school physics"),
        "middle_school_chemistry": N_("Middle school chemistry"),
        "veterinary_medicine": N_("Veterinary medicine"),
    },
    Group.SOCIAL_SCIENCE: {
        "college_economics": N_("College economics"),
        "business_administration": N_("Business administration"),
        "marxism": N_("Marxism"),
        "mao_zedong_thought": N_("Mao Zedong thought"),
        "education_science": N_("Education science"),
        "teacher_qualification": N_("Teacher qualification"),
        "high_school_politics": N_("High school politics"),
        "high_school_geography": N_("High school geography"),
        "middle_school_politics": N_("Middle school politics"),
        "middle_school_geography": N_("Middle school geography"),
    },
    Group.HUMANITIES: {
        "modern_chinese_history": N_("Modern Chinese history"),
        "ideological_and_moral_cultivation": N_("Ideological and moral cultivation"),
        "logic": N_("Logic"),
        "law": N_("Law"),
        "chinese_language_and_literature": N_("Chinese language and literature"),
        "art_studies": N_("Art studies"),
        "professional_tour_guide": N_("Professional tour guide"),
        "legal_professional": N_("Legal professional"),
        "high_school_chinese": N_("High school Chinese"),
        "high_school_history": N_("High school history"),
        "middle_school_history": N_("Middle school history"),
    },
    Group.OTHER: {
        "civil_servant": N_("Civil servant"),
        "sports_science": N_("Sports science"),
        "plant_protection": N_("Plant protection"),
        "basic_medicine": N_("Basic medicine"),
        "clinical_medicine": N_("Clinical medicine"),
        "urban_and_rural_planner": N_("Urban and rural planner"),
        "accountant": N_("Accountant"),
        "fire_engineer": N_("Fire engineer"),
        "environmental_impact_assessment_engineer": N_("Environmental impact assessment engineer"),
        "tax_accountant": N_("Tax accountant"),
        "physician": N_("Physician"),
    },
}

HARD_SUBJECTS = frozenset(
    {
        "advanced_mathematics",
        "discrete_mathematics",
        "probability_and_statistics",
        "college_chemistry",
        "college_physics",
        "high_school_mathematics",
        "high_school_chemistry",
        "high_school_physics",
    }
)

_NAME = re.compile(r"ceval(?:-test)?(?:-(?P<part>[\w-]+))?", re.ASCII)
_TITLES = {subject: title for subjects in SUBJECTS.values() for subject, title in subjects.items()}


def ceval_part(dataset: str) -> str | None:
    """Return what of C-Eval a summary's row is: a subject, a group, `hard` or `average`; None for other datasets."""
    found = _NAME.fullmatch(dataset)
    if found is None:
        return None
    part = found["part"] or AVERAGE
    return part if part in GROUP_TITLES or part in _TITLES else None


def title_of(part: str) -> str:
    """Return what people call a subject or group, marked for translation."""
    return GROUP_TITLES.get(part) or _TITLES[part]
