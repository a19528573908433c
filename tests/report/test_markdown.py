"""The plan as a comment: nothing from the vault becomes markup."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import configuration, held, plan, record
from uss.planning.approval import with_digests
from uss.report.document import PlanDocument, RecordLine
from uss.report.markdown import comment

TAGS = re.compile(r"</?code>")


def test_it_tells_the_changes_the_refusals_and_what_is_held() -> None:
    planned = plan([record("R1", "One"), record("R2", "bad: title")], [], configuration(dry_run=True))
    document = PlanDocument.of(with_digests(planned, b"key"))
    text = comment("prod", document, "")
    assert text.startswith(
        "### Secrets sync: stack <code>prod</code>\n\n**1 to change**, 1 refused, held until approved: "
        "<code>aws</code>.\n\n#### <code>aws</code> in aws: 1 create, 1 refused (plan `"
    )
    assert (
        "| create | <code>One</code> | &#34;One&#34; <code>R1</code> | there is no secret of this record yet |" in text
    )
    assert f"To apply exactly this: `{document.configurations[0].approval}`" in text


def test_nothing_to_change_is_said_and_a_problem_is_quoted() -> None:
    text = comment("prod", PlanDocument.of(plan([record()], [held("R1", "Record")])), "")
    assert "**Nothing to change**." in text
    text = comment("prod", PlanDocument(), "first line\n\n<b>second</b>")
    assert "> **Failed:** first line\n> **Failed:** &#60;b&#62;second&#60;/b&#62;" in text


@given(st.text(), st.text())
def test_no_title_and_no_name_becomes_markup_and_each_reads_as_it_is(title: str, name: str) -> None:
    document = PlanDocument.of(plan([record()]))
    line = RecordLine(record="R1", title=title, name=name, change="create", why="w")
    part = document.configurations[0].model_copy(update={"records": (line,)})
    (row,) = (
        row
        for row in comment("s", document.model_copy(update={"configurations": (part,)}), "").splitlines()
        if row.startswith("| create")
    )
    cells = row.split("|")
    assert len(cells) == 6
    plain = TAGS.sub("", row)
    assert not set("`*_[]<>@!\\~") & set(plain)
    assert html.unescape(TAGS.sub("", cells[2])).strip() == name.strip() or not name.isprintable()


def test_it_fits_into_a_comment_and_says_what_it_left_out() -> None:
    text = comment("prod", PlanDocument.of(plan([record(f"R{n}", f"Secret {n}") for n in range(2000)])), "")
    assert len(text) < 65_536
    rows = sum(line.startswith("| create") for line in text.splitlines())
    assert f"{2000 - rows} more rows have no room here" in text
