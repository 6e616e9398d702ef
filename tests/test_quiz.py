"""The choices of "Check yourself": what they must have, and how a page scores them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import needs_pages, open_page
from playwright.sync_api import Browser, Locator, Page, expect

TEXTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[1] / "book").glob("*.ipynb"))
}
CHAPTERS = [name for name, text in TEXTS.items() if "## Check yourself" in text]
CHOICE = re.compile(
    r"<details class=\"(choice|choice correct)\"><summary>([^\n]+)</summary>\n\n"
    r"(.+?)\n\n</details>",
    re.DOTALL,
)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_asks_three_to_five_questions_with_one_right_choice_each(
    chapter: str,
) -> None:
    texts = ["".join(cell["source"]) for cell in json.loads(TEXTS[chapter])["cells"]]
    (text,) = [text for text in texts if '<details class="choice' in text]
    _, *parts = re.split(r"^\*\*(\d)\. .+\*\*$", text, flags=re.MULTILINE)
    numbers, questions = parts[::2], parts[1::2]
    assert numbers == list("45678"[: len(numbers)])
    assert 3 <= len(questions) <= 5
    for question in questions:
        choices = CHOICE.findall(question)
        assert CHOICE.sub("", question).strip() == ""  # and nothing between them
        assert len({label for _, label, _ in choices}) == len(choices) >= 3
        assert [kind for kind, _, _ in choices].count("choice correct") == 1
        for kind, _, answer in choices:  # told in words too, for JupyterLab
            assert answer.startswith("Yes") == (kind == "choice correct")


@pytest.fixture
def quiz(page: Page) -> Iterator[Page]:
    """A chapter as a reader opens it from disk for the first time."""
    open_page(page, "loading.html")
    yield page
    page.evaluate("localStorage.clear()")


def right(page: Page, number: int) -> Locator:
    return page.locator("details.correct").nth(number).locator("summary")


def wrong(page: Page, number: int) -> Locator:
    return page.locator("details.choice:not(.correct)").nth(number).locator("summary")


def score(page: Page) -> list[int]:
    """Answered, of how many, right at the first try."""
    line = page.locator(".quiz-score [role=status]").inner_text()
    return list(map(int, re.findall(r"\d+", line)))


@needs_pages
def test_the_first_choice_counts_and_is_kept_until_the_reader_starts_again(
    quiz: Page,
) -> None:
    opened = quiz.locator("details.choice[open]")
    assert not quiz.locator(".quiz-score").is_visible()
    right(quiz, 0).click()
    assert score(quiz)[::2] == [1, 1]
    wrong(quiz, 0).click()  # of the same question: reading on costs nothing
    assert score(quiz)[::2] == [1, 1]
    wrong(quiz, 2).click()
    right(quiz, 1).click()  # too late
    assert score(quiz)[::2] == [2, 1]
    assert opened.count() == 4
    quiz.reload()
    expect(opened).to_have_count(2)
    right(quiz, 1).click()  # still too late
    assert score(quiz)[::2] == [2, 1]
    assert quiz.evaluate("document.cookie") == ""
    quiz.get_by_role("button", name="Start again").click()
    assert quiz.evaluate("document.activeElement.matches('details.choice summary')")
    quiz.reload()
    expect(opened).to_have_count(0)
    assert not quiz.locator(".quiz-score").is_visible()


@needs_pages
def test_what_else_is_stored_there_does_no_harm(quiz: Page) -> None:
    keep = "kept => localStorage.setItem(`quiz ${location.pathname}`, kept)"
    for kept in ("{", "7", "null", '{"a question": "that is gone"}'):
        quiz.evaluate(keep, kept)
        quiz.reload()
        assert not quiz.locator(".quiz-score").is_visible()
        right(quiz, 0).click()
        assert score(quiz)[::2] == [1, 1]


@needs_pages
def test_without_storage_answers_last_as_long_as_the_page(browser: Browser) -> None:
    page = browser.new_page()
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
          get() { throw new DOMException("The user refuses", "SecurityError"); } })"""
    )
    open_page(page, "loading.html")
    right(page, 0).click()
    assert score(page)[::2] == [1, 1]
    page.close()


@needs_pages
def test_print_has_all_choices_and_the_answers_that_were_opened(quiz: Page) -> None:
    right(quiz, 0).click()
    quiz.emulate_media(media="print")
    summaries = quiz.locator("details.choice summary")
    assert all(summary.is_visible() for summary in summaries.all())
    assert quiz.locator("details.choice > p:visible").count() == 1
