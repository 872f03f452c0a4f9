"""The README says what is true now."""

from server.config import PROJECT, documented

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_a_row_for_every_setting() -> None:
    for each in documented():
        about = each.metadata
        row = f"| `{about['variable']}` | {about['shown']} | {about['sentence']} |"
        assert row in README, f"the README lacks: {row}"
