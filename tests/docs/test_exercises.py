"""docs/exercises.md: goes through the lab sheet, exercise by exercise."""

import re

import pytest

from tests.docs.pages import EXERCISES, make_targets

TEXT = EXERCISES.read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| «")]
# The lab sheet's own headings, in its order.
HEADINGS = [
    "« Partie 1 : Introduction et Mise en Place de Docker »",
    "« 1. Installation de Docker et Docker Compose »",
    "« 2. Concepts Clés de Docker »",
    "« 3. Exercices Pratiques »",
    "« 3. Conteneurisation d'une Base de Données »",
    "« 4. Conteneurisation d'un Service de Traitement de Données »",
    "« 5. Sécurisation et Optimisation »",
    "« 6. Conteneurisation Complète du Cycle ETL »",
]
NUMBERED = {
    "« 3. Exercices Pratiques »": ["Exercice 1", "Exercice 2"],
    "« 3. Conteneurisation d'une Base de Données »": [
        "1. Choisir une base de données",
        "2. Lancer un conteneur pour la base de données",
        "3. Tester la connexion à la base de données",
        "4. Ajouter la persistance des données",
        "5. Sécurisation de la base de données",
    ],
    "« 4. Conteneurisation d'un Service de Traitement de Données »": [
        "1. Développement du service de traitement de données",
        "2. Conteneurisation du service",
        "3. Intégration avec Docker Compose",
        "4. Test et validation",
    ],
    "« 5. Sécurisation et Optimisation »": [
        "1. Sécurisation des Conteneurs",
        "2. Gestion des Secrets et Accès",
        "3. Optimisation des Performances",
        "4. Surveillance et Logging",
    ],
    "« 6. Conteneurisation Complète du Cycle ETL »": [
        "1. Conteneurisation des différentes étapes",
        "2. Orchestration avec Docker Compose",
        "3. Optimisation et Sécurisation",
    ],
}


def test_every_section_of_the_lab_sheet_is_there_in_its_order() -> None:
    """A student finds the heading that they have before them."""
    assert re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("heading", NUMBERED)
def test_every_numbered_exercise_has_a_row(heading: str) -> None:
    """Nothing of the lab sheet is passed over."""
    part = re.split(r"^##+ ", TEXT.partition(f" {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]

    assert [exercise for exercise in NUMBERED[heading] if f"| « {exercise}" not in part] == []


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_a_row_says_where_and_how_or_that_it_is_not_there(row: list[str]) -> None:
    """Each exercise links what does it and gives a command to see it, or says plainly that it is not there yet."""
    _, here, where, command = row
    if here == "*not there yet*":
        assert (where, command) == ("", "")
        return

    assert re.search(r"\]\([^)]+\)", where)
    assert command.startswith("`")


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_the_commands_of_a_row_are_there(row: list[str]) -> None:
    """A student may paste them."""
    targets = set(re.findall(r"\bmake ([a-z-]+)", row[-1]))

    assert targets - make_targets() == set()
