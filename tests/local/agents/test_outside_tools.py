"""The browser and the code interpreter, and the fixtures that stand in for the world outside."""

from __future__ import annotations

import json

import pytest
from support.behaviours import behaviour

from agentcore_local import fixtures

TOPIC = "Browser and code interpreter"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html",)
PAGE = """<html><head><title>Orders &amp; more</title><style>p {}</style></head>
<body><h1>Orders</h1><script>alert(1)</script><p>Two   open.</p><a href="/next">Next <b>page</b></a></body></html>"""


@pytest.fixture
def supply():
    yield fixtures.use
    fixtures.use(None)


@pytest.fixture
def browse(caller, script, calling):
    """Has the agent take actions in one invocation; the results."""

    def run(*actions):
        script(*(calling("browser", **action) for action in actions), "done")
        return caller(tools=[{"type": "agentcore_browser", "name": "browser"}]).say().results

    return run


@behaviour(
    "The browser opens pages and reads them",
    status="approximated",
    note="Pages that you supply, without scripts and images; nothing is fetched from the web.",
)
def test_a_page_is_opened_and_read(browse, supply):
    supply({"browser": [{"url": "https://shop.example.com/*", "html": PAGE}]})
    url = "https://shop.example.com/orders"
    assert browse(
        {"action": "navigate", "url": url}, {"action": "get_text"}, {"action": "get_links"}, {"action": "get_html"},
        {"action": "close"}, {"action": "get_text"},
    ) == [
        ("success", f"Opened {url}: Orders & more"),
        ("success", "Orders\nTwo open.\nNext page"),
        ("success", "Next page: https://shop.example.com/next"),
        ("success", PAGE),
        ("success", "Closed."),
        ("error", "No page is open; navigate first, or give the url."),
    ]  # fmt: skip


def test_a_page_of_text(browse, supply):
    supply({"browser": [{"url": "https://x.example", "text": "Hi", "title": "X"}]})
    assert browse({"action": "navigate", "url": "https://x.example/"}, {"action": "get_text"}) == [
        ("success", "Opened https://x.example/: X"),
        ("success", "Hi"),
    ]


def test_a_page_that_nobody_supplied(browse):
    ((status, text),) = browse({"action": "navigate", "url": "https://x.example"})
    assert status == "error"
    assert text.startswith(
        "The local cloud opens no page of the web, and its fixtures have none for https://x.example."
    )


@behaviour("Clicking, typing and taking pictures", status="refused", note="The tool answers the model with a sentence.")
@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ({"action": "click"}, "The argument action must be one of navigate, get_text, get_html, get_links, close;"),
        ({"action": "navigate"}, "The argument url is missing."),
        ({}, "The argument action is missing."),
    ],
)
def test_what_a_browser_cannot_do(browse, action, sentence):
    ((status, text),) = browse(action)
    assert (status, text.startswith(sentence)) == ("error", True)


@pytest.fixture
def interpret(caller, script, calling):
    """Has the agent call the code interpreter several times in one session; the results."""

    def run(*calls):
        script(*(calling("ci", **call) for call in calls), "done")
        return caller(tools=[{"type": "agentcore_code_interpreter", "name": "ci"}]).say().results

    return run


@behaviour(
    "The code interpreter runs Python, JavaScript and shell commands; its files stay for the session",
    status="approximated",
    note="A process for each call, in the sandbox of this machine; variables do not stay.",
)
def test_code_runs_and_its_files_stay(interpret):
    results = interpret(
        {"code": "print(6 * 7); open('a.txt', 'w').write('kept ä')"},
        {"action": "readFile", "path": "a.txt"},
        {"action": "writeFile", "path": "b.txt", "content": "two"},
        {"action": "listFiles"},
        {"action": "executeCommand", "command": "cat b.txt; pwd; ls /workspace"},
    )
    if "does not run code on this machine" in results[0][1]:
        pytest.skip(results[0][1])
    assert results[0] == ("success", "42\n")
    assert results[1] == ("success", "kept ä")
    assert results[2] == ("success", "Wrote 3 characters to b.txt.")
    assert results[3] == ("success", "a.txt\nb.txt\n")
    status, text = results[4]
    # The session's own directory is another machine's.
    assert status == "error"
    assert text.startswith("two/interpreter\n")
    assert "/workspace" in text


def test_code_that_fails_shows_how(interpret):
    ((status, text),) = interpret({"code": "print('before')\nraise ValueError('no')"})
    if "does not run code on this machine" in text:
        pytest.skip(text)
    assert status == "error"
    assert text.startswith("before\n")
    assert text.endswith("ValueError: no\n\n[exit code 1]")


def test_code_sees_nothing_of_this_process(interpret, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_HOST", "s3cret")
    ((_, text),) = interpret({"code": "import os; print(dict(os.environ), os.path.exists('/root'))"})
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"action": "fly"}, "The argument action must be one of executeCode, executeCommand, writeFile, readFile"),
        (
            {"code": "x", "language": "cobol"},
            "The local cloud's interpreter runs python and javascript; received 'cobol'",
        ),
        ({"action": "readFile", "path": "../x"}, "The argument path must be a name in the working directory; received"),
        ({"action": "writeFile", "path": "x"}, "The argument content is missing."),
        ({}, "The argument code is missing."),
    ],
)
def test_what_an_interpreter_cannot_do(interpret, call, sentence):
    ((status, text),) = interpret(call)
    assert (status, text.startswith(sentence)) == ("error", True)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"action": "writeFile", "path": "d", "content": "x"}, "d cannot be written: Is a directory."),
        ({"action": "writeFile", "path": "a" * 300, "content": "x"}, f"{'a' * 300} cannot be written: File name too"),
        ({"action": "writeFile", "path": "s", "content": "\ud800"}, "The text holds half of a character"),
        ({"code": "print('\ud800')"}, "The text holds half of a character"),
        ({"action": "executeCommand", "command": "a\0b"}, "The argument command must not contain a NUL character."),
    ],
)
def test_what_cannot_be_written_is_said_without_paths_of_the_host(interpret, call, sentence):
    (made, text), (status, said) = interpret({"action": "executeCommand", "command": "mkdir d"}, call)
    if made == "error":
        pytest.skip(text)
    assert (status, said.startswith(sentence)) == ("error", True), said


def test_code_in_the_place_of_the_code_is_no_hindrance(interpret):
    place = "import os; os.remove('/code/code.py'); os.makedirs('/code/code.py/x'); os.symlink('/', '/code/away')"
    first, second = interpret({"code": place}, {"code": "import os; print(os.listdir(os.environ['CODE']))"})
    if first[0] == "error":
        pytest.skip(first[1])
    assert second == ("success", "['code.py']\n")


# ---- fixtures --------------------------------------------------------------------------------------------------------


def test_fixtures_are_read_from_files(tmp_path, supply):
    (tmp_path / "page.html").write_text(PAGE)
    path = tmp_path / "fixtures.yaml"
    path.write_text(
        "endpoints:\n  https://a.example: http://127.0.0.1:1\n  https://a.example/b: http://127.0.0.1:2\n"
        "keys:\n  partner: s3cret\n"
        "web_search:\n  - query: '*orders*'\n    results: [{url: https://x.example, text: Found.}]\n"
        "browser:\n  - url: https://x.example\n    file: page.html\n"
    )
    supply(path)
    assert fixtures.located("https://a.example/b/c") == "http://127.0.0.1:2/c"
    assert fixtures.located("https://a.example/c") == "http://127.0.0.1:1/c"
    assert fixtures.located("https://other.example") == "https://other.example"
    made = fixtures.get()
    assert made.search("Open ORDERS") == [{"url": "https://x.example", "text": "Found."}]
    assert made.search("other") is None
    assert made.page("https://x.example/")["html"] == PAGE
    assert "s3cret" not in repr(made)


def test_fixtures_of_the_environment(tmp_path, monkeypatch, supply):
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"keys": {"a": "b"}}))
    monkeypatch.setenv(fixtures.VARIABLE, str(path))
    supply(None)
    assert fixtures.get().keys == {"a": "b"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "fixtures must be an object with endpoints, keys, web_search, browser; received list"),
        ({"search": []}, "fixtures have endpoints, keys, web_search, browser; received search; correct the name"),
        ({"keys": {"a": 1}}, "keys must be an object of texts"),
        ({"endpoints": []}, None),
        ({"web_search": {}}, None),
        ({"web_search": [{}]}, "web_search[0] must have query and results, a list"),
        (
            {"web_search": [{"results": [{"url": "x"}]}]},
            "web_search[0].results[0] must have url and text, and may have",
        ),
        ({"web_search": [{"query": 1, "results": []}]}, "web_search[0].query must be a text, with * for anything;"),
        ({"browser": [{}]}, "browser[0] must have url, and text, html or file"),
        ({"browser": [{"url": "x", "text": "a", "html": "b"}]}, "browser[0] must have exactly one of text, html and"),
        ({"browser": [{"url": "x", "file": "/nowhere"}]}, "browser[0].file cannot be read: No such file or directory"),
        ({"browser": "x"}, "browser must be a list; received str"),
    ],
)
def test_fixtures_that_cannot_be_used(content, sentence, supply):
    if sentence is None:
        supply(content)
        return
    with pytest.raises(fixtures.FixturesError) as caught:
        supply(content)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(("name", "text"), [("a.json", "["), ("a.yaml", "a: [")])
def test_files_that_cannot_be_used(tmp_path, supply, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(fixtures.FixturesError, match=r"the fixtures .* are not (JSON|YAML)"):
        supply(tmp_path / name)
    with pytest.raises(fixtures.FixturesError, match="cannot be read: No such file"):
        supply(tmp_path / "nowhere.yaml")
