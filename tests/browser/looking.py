"""Looking at a page in its forms: a picture of each, and everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.factories.sample import PASSWORD

SIZES = {"wide": (1366, 768), "phone": (390, 844)}
FORMS = (("light", "wide"), ("dark", "wide"), ("dark", "phone"), ("light", "phone"))
"""In the order in which least changes from one to the next."""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Heard:
    """What a page said on the console, and what it asked of anybody but us."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def take(self) -> list[str]:
        """What was said since the last time, for one page's account."""
        said = [f"console: {text}" for text in self.errors] + [f"asked a stranger: {url}" for url in self.strangers]
        self.errors.clear()
        self.strangers.clear()
        return said


def listen(page: Page, base: str) -> Heard:
    heard = Heard()
    page.on("console", lambda said: heard.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.errors.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((base, "data:")) else heard.strangers.append(sent.url))
    return heard


def sign_in(page: Page, base: str, login: str) -> None:
    page.goto(f"{base}/sign-in/")
    page.fill("#id_username", login)
    page.fill("#id_password", PASSWORD)
    page.click("main button.primary")
    page.wait_for_url(f"{base}/")


@cache
def _axe() -> str:
    spec = find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")


COLOURS = ["color-contrast", "link-in-text-block"]
"""Rules whose answer depends on the theme; all others see the same page in light and dark."""

AUDIT = """async ({ tags, colours, all }) => {
  const above = new Map();
  const behind = (node) => {  // what is painted behind a node by those that it lies in
    if (!node) return "";
    if (!above.has(node)) {
      const style = getComputedStyle(node);
      const free = ["absolute", "fixed", "sticky"].includes(style.position) ? `@${above.size}` : "";
      const own = [style.backgroundColor, style.backgroundImage, style.opacity, free];
      above.set(node, [behind(node.parentElement), ...own].join());
    }
    return above.get(node);
  };
  const distinct = new Map();
  for (const node of document.querySelectorAll("body *")) {
    const words = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!(words || node.matches("input, select, textarea")) || !node.checkVisibility()) continue;
    const { color, fontSize, fontWeight, textDecorationLine, textShadow } = getComputedStyle(node);
    const key = [color, fontSize, fontWeight, textDecorationLine, textShadow, node.disabled, node.tagName,
                 getComputedStyle(node.parentElement).color, behind(node)].join("|");
    if (!distinct.has(key)) distinct.set(key, node);
  }
  const only = { runOnly: { type: "rule", values: colours }, resultTypes: ["violations"] };
  const found = await axe.run([...distinct.values()], only);
  if (!all) return found.violations;
  const rules = Object.fromEntries(colours.map((name) => [name, { enabled: false }]));
  const rest = await axe.run(document, { runOnly: { type: "tag", values: tags }, rules, resultTypes: ["violations"] });
  return [...rest.violations, ...found.violations];
}"""


def audit(page: Page, *, whole: bool = True) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA on the page as it stands; unless `whole` only what the theme changes.

    Contrast, three quarters of the work, is looked at once for each kind of text: the same colour, size and weight over
    the same backgrounds. Text in boxes that float counts by the box, for what is behind them may be anything.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(AUDIT, {"tags": TAGS, "colours": COLOURS, "all": whole})
    wrong = []
    for violation in found:
        nodes = [node["html"][:160] + " | " + node["failureSummary"][:300] for node in violation["nodes"][:3]]
        wrong.append(f"{violation['id']} ({len(violation['nodes'])}): " + " || ".join(nodes))
    return wrong


CUT = """() => {
  const said = [];
  const scrolls = (node) => { for (let up = node; up; up = up.parentElement) {
    const way = getComputedStyle(up).overflowX;
    if (way === "auto" || way === "scroll") return true;
  } return false; };
  for (const node of document.querySelectorAll("body *")) {
    if (node.closest(".sr, svg, [hidden], option, .skip, .table.cards thead")) continue;
    if (!node.getClientRects().length || !node.checkVisibility()) continue;
    const own = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    if (!own.length) continue;
    const style = getComputedStyle(node);
    if (style.visibility === "hidden" || scrolls(node)) continue;
    const range = document.createRange();
    const text = { left: Infinity, right: -Infinity, bottom: -Infinity };
    for (const piece of own) {
      range.selectNodeContents(piece);
      const box = range.getBoundingClientRect();
      text.left = Math.min(text.left, box.left);
      text.right = Math.max(text.right, box.right);
      text.bottom = Math.max(text.bottom, box.bottom);
    }
    const name = `<${node.tagName.toLowerCase()} class="${node.className}"> ${own[0].data.trim().slice(0, 40)}`;
    if (text.right > innerWidth + 1 || text.left < -1) said.push(`beyond the screen: ${name}`);
    else for (let up = node; up && up !== document.body; up = up.parentElement) {
      const { display, position } = getComputedStyle(up);
      if (position === "absolute" || position === "fixed") break;
      if (display === "inline" || display === "contents") continue;
      if (text.right > up.getBoundingClientRect().right + 2) { said.push(`out of its box: ${name}`); break; }
    }
    for (let up = node; up && up !== document.body; up = up.parentElement) {
      const clip = getComputedStyle(up);
      if (clip.overflowX !== "hidden" && clip.overflowX !== "clip") continue;
      const edge = up.getBoundingClientRect();
      if (text.right > edge.right + 2 || text.bottom > edge.bottom + 2) { said.push(`cut: ${name}`); break; }
    }
  }
  return [...new Set(said)].slice(0, 8);
}"""


def cut_text(page: Page) -> list[str]:
    """Text that reaches out of its box, is cut off, or lies beyond the screen."""
    found: list[str] = page.evaluate(CUT)
    return found


def shape(page: Page, theme: str, size: str) -> None:
    """Give the open page another theme and width. Both are rules of its style sheets: nothing is loaded anew.

    Without motion, or a button is looked at while its colour is still halfway between two themes.
    """
    width, height = SIZES[size]
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": height})


def stretched(page: Page) -> int:
    """Make the window as high as the page: what the bar at the thumb covers can be scrolled free by people.

    Returns by how many pixels the page is wider than the window.
    """
    size = page.viewport_size or {"width": 0, "height": 0}
    page.set_viewport_size({"width": size["width"], "height": page.evaluate("document.documentElement.scrollHeight")})
    wider: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, wider)


def picture(page: Page, path: Path) -> int:
    """A picture of the whole open page; by how many pixels it is wider than the window."""
    wider = stretched(page)
    page.screenshot(path=path.with_suffix(".jpg"), type="jpeg", quality=80)
    return wider


def look(page: Page, name: str, folder: Path) -> list[str]:
    """All four forms of the open page. A theme moves nothing, so what is about layout is asked once for each size."""
    wrong = []
    for at, (theme, size) in enumerate(FORMS):
        form, first = f"{theme}-{size}", size != FORMS[at - 1][1]
        shape(page, theme, size)
        if wider := picture(page, folder / form / name):
            wrong.append(f"{form} {name}: scrolls sideways by {wider} px")
        wrong += [f"{form} {name}: {found}" for found in audit(page, whole=first)]
        if first:
            wrong += [f"{form} {name}: {found}" for found in cut_text(page)]
    return wrong
