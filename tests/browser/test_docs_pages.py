"""The docs in real Chromium: every page is sound, and what its scripts add works by mouse, by keyboard and without."""

import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from server.docs.site import STATIC, Site, every_path, render, searched
from tests.browser.reader import DOCS, Reader, run, violations
from tests.factories import Account
from tests.live import Live

CREATE = "leads_external/create"
WIDTHS = (1280, 390)
# One page of each kind, the second an address that leads nowhere.
KINDS = ("", "no_such_page", "errors", "leads", CREATE)
MOST_BYTES = 100 * 1024
REFUSED = "Failed to load resource: .* status of {}"

FACTS = """() => ({
  headings: document.querySelectorAll("h1").length,
  ids: [...document.querySelectorAll("[id]")].map((each) => each.id),
  links: [...document.querySelectorAll("a[href]")].map((each) => each.href),
})"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


# What the pages show does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def weight(page: str, sizes: dict[str, int], client: httpx.Client) -> int:
    """How many bytes a page and its files are, each compressed."""
    urls = re.findall(r'<(?:script|link rel="(?:stylesheet|icon)")[^>]* ?(?:src|href)="([^"]+)"', page)
    for url in urls:
        sizes[url] = sizes.get(url) or len(gzip.compress(client.get(url).content))
    return len(gzip.compress(page.encode())) + sum(sizes[url] for url in urls)


def accessible(axe: Axe, page: Page) -> list[str]:
    """What axe finds wide and narrow, light and dark; what is dark differs in its colours alone."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        found += violations(axe, page)
        page.emulate_media(color_scheme="dark")
        found += violations(axe, page, rules=["color-contrast"])
    return found


def test_every_page_is_sound(reader: Reader, app: Flask, live: Live, axe: Axe, long: bool) -> None:
    """Status, headings, ids, width, weight, console; and every link leads to a page that has its anchor."""
    with app.test_request_context("/"):
        paths = [*every_path()]
    page = reader.page
    wrong: list[str] = []
    ids: dict[str, set[str]] = {}
    links: dict[str, str] = {}
    sizes: dict[str, int] = {}
    with httpx.Client(base_url=live.url, timeout=30) as client:
        for path in paths:
            answer = reader.open(path)
            facts = page.evaluate(FACTS)
            twice = {each for each in facts["ids"] if facts["ids"].count(each) > 1}
            ids[page.url] = set(facts["ids"])
            links |= dict.fromkeys(facts["links"], path)
            if answer.status != 200 or facts["headings"] != 1 or twice:
                wrong.append(f"{path}: {answer.status}, {facts['headings']} h1, ids that come twice: {twice}")
            if (heavy := weight(answer.text(), sizes, client)) > MOST_BYTES:
                wrong.append(f"{path} is {heavy} bytes")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if (more := page.evaluate(OVERFLOW)) > 0:
                    wrong.append(f"{path} is {more} pixels wider than {width}")
            wrong += accessible(axe, page) if long else []
        wrong += lead_nowhere(client, links, ids)
    assert wrong == []
    assert reader.grumbles == []


def lead_nowhere(client: httpx.Client, links: dict[str, str], ids: dict[str, set[str]]) -> Iterator[str]:
    """Links, each with the page it stands on, whose page or anchor is not there; each page is asked for once."""
    wanted: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for link, path in links.items():
        url, anchor = urldefrag(link)
        if urlsplit(url).scheme in ("http", "https"):
            wanted[url][anchor] = path
    for url, anchors in wanted.items():
        if url not in ids:
            answer = client.get(url) if url.startswith(str(client.base_url).rstrip("/")) else None
            if answer is not None and answer.status_code != 200:
                yield f"{url} answers {answer.status_code}, on {[*anchors.values()]}"
            continue
        yield from (
            f"{url}#{each} is not there, on {path}" for each, path in anchors.items() if each not in {"", *ids[url]}
        )


@pytest.mark.parametrize("path", KINDS)
def test_each_kind_of_page_is_accessible_wide_and_narrow_light_and_dark(
    reader: Reader, axe: Axe, path: str, expected_console: list[str]
) -> None:
    expected_console.append(REFUSED.format(404))
    reader.open(path)
    for details in reader.page.locator("main details").all():
        details.evaluate("(each) => { each.open = true }")
    assert accessible(axe, reader.page) == []


def test_a_missing_page_names_those_near_it(reader: Reader, expected_console: list[str]) -> None:
    expected_console.append(REFUSED.format(404))
    assert reader.open("leads_external/creat").status == 404
    reader.page.get_by_role("main").get_by_role("link", name=CREATE, exact=True).click()
    expect(reader.page).to_have_url(reader.address(CREATE))


def test_the_copy_button_puts_exactly_the_example_on_the_clipboard_and_it_runs(
    reader: Reader, account: Account, tmp_path: Path
) -> None:
    reader.open(CREATE)
    example = reader.page.locator(".example").filter(has_text='"dry_run": true')
    shown = example.locator("[data-language=curl]")
    shown.get_by_role("button", name="Copy").click()
    expect(reader.page.locator("#said")).to_have_text("Copied")
    copied = reader.clipboard()
    assert copied == str(shown.locator("pre").text_content()).rstrip("\n")
    answer = run(copied.replace("YOUR_TOKEN", account.schedule_token), tmp_path)
    assert (answer["success"], answer["dry_run"], answer["action"]) == (True, True, "created")
    assert account.leads() == []


def test_a_block_of_a_guide_can_be_copied(reader: Reader) -> None:
    reader.open("quickstart")
    block = reader.page.locator(".code").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    assert reader.clipboard() == str(block.locator("pre").text_content()).rstrip("\n")


def test_a_page_that_is_not_secure_can_copy_too(reader: Reader) -> None:
    """Browsers keep the clipboard from plain HTTP, on which a company may serve its own network."""
    reader.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    reader.open("quickstart")
    block = reader.page.locator(".code").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    reader.page.get_by_role("combobox").press("Control+V")
    first_line = str(block.locator("pre").text_content()).split(" \\")[0]
    assert first_line in reader.page.get_by_role("combobox").input_value()


def test_headings_and_parameters_have_links_of_their_own_and_the_page_lists_its_parts(reader: Reader) -> None:
    page = reader.page
    reader.open(CREATE)
    page.get_by_role("link", name="Link to caller_id", exact=True).click()
    expect(page).to_have_url(reader.address(CREATE, "param-caller_id"))
    part = page.get_by_role("navigation", name="On this page").get_by_role("link", name="Response Example")
    part.click()
    expect(page).to_have_url(reader.address(CREATE, "response"))
    expect(part).to_have_attribute("aria-current", "true")
    # What an answer holds is said as JSON says it.
    expect(page.locator("[id='returns-success']").get_by_role("cell").last).to_have_text("true")
    page.get_by_role("heading", name="Headers", exact=True).get_by_role("link").click()
    expect(page).to_have_url(reader.address(CREATE, "headers"))


def test_the_language_that_was_chosen_is_kept_for_all_examples_and_pages(reader: Reader) -> None:
    reader.open(CREATE)
    reader.page.get_by_role("tab", name="PHP").first.click()
    shown = reader.page.locator("[data-language]:visible")
    languages = [each.get_attribute("data-language") for each in shown.all()]
    assert len(languages) > 1
    assert set(languages) == {"php"}
    reader.open("leads_external/capture")
    expect(reader.page.locator("[data-language]:visible").first).to_have_attribute("data-language", "php")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("invalid_caller_id", "errors.html#invalid_caller_id"),
        ("caller_id", f"{CREATE}.html#param-caller_id"),
        ("retry", "idempotency-and-retries.html"),
        ("lead batch", "leads_external/batch.html"),
        ("dedupe", f"{CREATE}.html#returns-dedupe"),
    ],
)
def test_the_search_finds_and_enter_goes_there(reader: Reader, text: str, found: str) -> None:
    reader.open("glossary")
    reader.page.keyboard.press("/")
    reader.page.keyboard.type(text)
    links = reader.page.get_by_role("option")
    expect(links.first).to_be_visible()
    places = [str(each.get_attribute("href")) for each in links.all()]
    place = next((at for at, each in enumerate(places) if found in each), None)
    assert place is not None, places
    for _ in range(place):
        reader.page.keyboard.press("ArrowDown")
    reader.page.keyboard.press("Enter")
    expect(reader.page).to_have_url(urljoin(reader.live.url, places[place]))
    anchor = urldefrag(places[place])[1]
    if anchor:
        expect(reader.page.locator(f"[id='{anchor}']")).to_have_count(1)


def test_a_search_wants_every_word_and_suggests_what_has_some(reader: Reader) -> None:
    reader.open("")
    box = reader.page.get_by_role("combobox")
    box.fill("invalid_caller_id zebra")
    expect(reader.page.locator("#found p")).to_contain_text("Nothing has all of")
    expect(reader.page.get_by_role("option").first).to_contain_text("invalid_caller_id")
    box.fill("zebra")
    expect(reader.page.locator("#found p")).to_contain_text("Nothing was found")
    box.press("Escape")
    expect(reader.page.locator("#found")).to_be_hidden()


def test_a_copy_on_a_disk_can_be_searched(reader: Reader, app: Flask, tmp_path: Path) -> None:
    with app.test_request_context("/"):
        to = Site(base_url="https://leads.example.com", base="../", index="../index.html", exported=True)
        folder = tmp_path / "1.0"
        folder.mkdir()
        for name in ("quickstart", "errors"):
            (folder / f"{name}.html").write_text(str(render(to, name)), encoding="utf-8")
        (tmp_path / "static").mkdir()
        for each in STATIC.iterdir():
            (tmp_path / "static" / each.name).write_bytes(each.read_bytes())
        (tmp_path / "static/search.js").write_text(searched(to), encoding="utf-8")
    reader.page.goto((folder / "quickstart.html").as_uri())
    reader.page.keyboard.press("/")
    reader.page.keyboard.type("invalid_caller_id")
    expect(reader.page.get_by_role("option").first).to_be_visible()
    reader.page.keyboard.press("Enter")
    expect(reader.page).to_have_url(f"{(folder / 'errors.html').as_uri()}#invalid_caller_id")


def test_everything_can_be_reached_by_keyboard(reader: Reader) -> None:
    page = reader.page
    page.set_viewport_size({"width": 390, "height": 844})
    reader.open(CREATE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    tabs.first.focus()
    page.keyboard.press("ArrowLeft")
    expect(tabs.last).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".languages").first.locator("[role=tabpanel]:visible")).to_have_attribute(
        "data-language", "jquery"
    )
    page.get_by_role("textbox", name="sub_id").press("/")
    expect(page.get_by_role("textbox", name="sub_id")).to_have_value("/")
    menu = page.locator(".contents details")
    expect(menu).not_to_have_attribute("open")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("open")
    expect(menu.get_by_role("link", name="Quickstart")).to_be_visible()


def test_print_has_the_text_without_what_only_a_screen_can_use(reader: Reader) -> None:
    reader.open(CREATE)
    reader.page.emulate_media(media="print", color_scheme="dark")
    for each in ("nav", ".top", ".copy", ".tabs", ".trying"):
        expect(reader.page.locator(f"{each}:visible")).to_have_count(0)
    expect(reader.page.get_by_role("heading", name="Params")).to_be_visible()
    expect(reader.page.locator("pre:visible").first).to_have_css("white-space", "pre-wrap")
    # Who reads in the dark prints on white paper all the same.
    expect(reader.page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(reader.page.locator(".s1:visible, .s2:visible").first).to_have_css("color", "rgb(25, 105, 47)")


def test_without_scripts_everything_is_readable(new_context: Callable[..., BrowserContext], live: Live) -> None:
    page = new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{live.url}{DOCS}/1.0/{CREATE}.html")
    first = page.locator(".languages").first
    expect(first.locator("pre:visible")).to_have_count(first.locator("pre").count())
    expect(first.get_by_text("jQuery", exact=True)).to_be_visible()
    expect(page.get_by_text("This form needs JavaScript")).to_be_visible()
    expect(page.locator("#try-form")).to_be_hidden()
    expect(page.locator("form.search")).to_be_hidden()
    expect(page.get_by_role("navigation", name="Contents").get_by_role("link", name="Quickstart")).to_be_visible()
