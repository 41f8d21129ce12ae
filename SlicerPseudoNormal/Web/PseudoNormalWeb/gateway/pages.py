"""The few pages that the gateway shows itself; each says one thing."""

from __future__ import annotations

import html
import json
import secrets

from aiohttp import web

NOTICE = "Research software, not a medical device."

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>PseudoNormal</title>
{head}
<style nonce="{nonce}">
:root {{ color-scheme: dark light; --ground: #121212; --text: #e6e6e6; --quiet: #9a9a9a; --strong: #64b5f6; }}
@media (prefers-color-scheme: light) {{
  :root {{ --ground: #fafafa; --text: #1c1c1c; --quiet: #666; --strong: #1565c0; }}
}}
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center; gap: 1rem;
  background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; text-align: center; }}
main {{ max-width: 36rem; padding: 0 1.5rem; }}
h1 {{ font-size: 1.25rem; font-weight: 500; margin: 0 0 .5rem; }}
a {{ color: var(--strong); }}
footer {{ color: var(--quiet); font-size: .8rem; }}
.turning {{ width: 2rem; height: 2rem; margin: 0 auto 1rem; border: 3px solid var(--quiet); border-radius: 50%;
  border-top-color: var(--strong); animation: turn 1s linear infinite; }}
@keyframes turn {{ to {{ transform: rotate(1turn); }} }}
</style>
</head>
<body>
<main>{body}</main>
<footer>{notice}</footer>
</body>
</html>
"""

_GO_ON = """
const state = {state};
async function look() {{
  try {{
    const answer = await (await fetch(state, {{ cache: "no-store" }})).json();
    if (answer.state !== "starting") return location.reload();
  }} catch (error) {{ /* the next look will tell */ }}
  setTimeout(look, 250);
}}
look();
"""


def waiting(window: str) -> web.Response:
    """The window is being started; the page goes on by itself.

    :param window: its id.
    """
    nonce = secrets.token_urlsafe(12)
    script = _GO_ON.format(state=json.dumps(f"/state/{window}"))
    return _page(
        200,
        '<div class="turning"></div><h1>The workbench is starting…</h1><p>This takes a few seconds.</p>'
        f'<script nonce="{nonce}">{script}</script>',
        head='<noscript><meta http-equiv="refresh" content="2"></noscript>',
        nonce=nonce,
    )


def let_in() -> web.Response:
    """The token was right; go on to the workbench.

    No redirection: one that began with a link on another site would go without the cookie that it has just been given.
    """
    return _page(
        200, '<h1>Opening the workbench…</h1><p><a href="/">Go on</a></p>',
        head='<meta http-equiv="refresh" content="0;url=/">',
    )  # fmt: skip


def told(request: web.Request, status: int, line: str, offer: str = "") -> web.Response:
    """One line: as a page for people, as text for programs.

    :param offer: words of a link that opens a new window.
    """
    if "text/html" not in request.headers.get("Accept", ""):
        return web.Response(status=status, text=line + "\n")
    link = f'<p><a href="/">{html.escape(offer)}</a></p>' if offer else ""
    return _page(status, f"<h1>{html.escape(line[:1].upper() + line[1:])}</h1>{link}")


def _page(status: int, body: str, head: str = "", nonce: str = "") -> web.Response:
    nonce = nonce or secrets.token_urlsafe(12)
    text = _PAGE.format(head=head, body=body, notice=NOTICE, nonce=nonce)
    answer = web.Response(status=status, text=text, content_type="text/html")
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return answer
