"""The page of `firth explore`, in a browser, on models of real text: that of Python's own docs."""

import csv
import io
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import firth
from browser import Watched, browser, launched

pytest.importorskip("starlette", reason="the extra serve is not installed")

from firth.cli.python_docs import paragraphs
from firth.models import CallbackAny2Vec
from firth.service import BackgroundServer, Models, create_app, explorer_routes

WORD = "string"


def served(models, **options):
    return BackgroundServer(create_app(models, routes=explorer_routes(models, **options)))


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def vectors():
    """Two models of the same text, of which one knows it better."""
    text = list(islice(paragraphs(), 12_000))
    settings = {"tokenizer": "words", "lowercase": True, "vector_size": 40, "workers": 1, "seed": 1}
    return [
        firth.Word2Vec(text, min_count=8, epochs=4, **settings).wv,
        firth.Word2Vec(text[:9000], min_count=12, epochs=2, **settings).wv,
    ]


@pytest.fixture(scope="module")
def server(vectors):
    with served(Models({"docs": vectors[0]}), n_arranged=0) as started:
        yield started


@pytest.fixture
def watched(chromium):
    opened = Watched(chromium)
    yield opened
    opened.close()


@pytest.fixture
def page(watched, server):
    return watched.open(server.url)


def search(page, word):
    page.keyboard.press("/")
    page.locator("#search").fill(word)
    page.keyboard.press("Enter")
    page.locator("#word-title").get_by_text(word, exact=True).wait_for()
    settled(page)


def settled(page):
    """Wait until the map was drawn and stands still."""
    if page.locator("ol.words").count():
        return
    before = None
    while True:
        drawn = page.locator(".pane").first.get_attribute("data-drawn")
        if drawn is not None and drawn == before:
            return
        before = drawn
        page.wait_for_timeout(300)


def neighbours(page, column=0):
    rows = page.locator("#word-body .column").nth(column).locator("ol.neighbours li button")
    rows.first.wait_for()
    return rows.locator("bdi").all_inner_texts()


def test_search_completes_and_shows_the_neighbours_of_the_full_vectors(page, vectors):
    page.keyboard.press("/")
    page.locator("#search").fill("strin")
    options = page.get_by_role("option")
    options.first.wait_for()
    assert options.first.inner_text() == "string"
    assert all("strin" in text for text in options.all_inner_texts())
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#word-title").wait_for()
    assert neighbours(page) == [word for word, _ in vectors[0].most_similar("string")]
    assert "not on the picture" in page.locator("#word-body").inner_text()
    assert page.locator("#said").inner_text().startswith("Nearest to string:")


def test_the_trail_of_neighbours_can_be_walked_back(page):
    search(page, WORD)
    first = neighbours(page)[0]
    page.locator("#word-body ol.neighbours button").first.click()
    page.locator("#word-title").get_by_text(first, exact=True).wait_for()
    second = neighbours(page)[1]
    page.locator("#word-body ol.neighbours button").nth(1).click()
    page.locator("#word-title").get_by_text(second, exact=True).wait_for()
    crumbs = page.locator("#trail bdi").all_inner_texts()
    assert crumbs == [WORD, first, second]
    page.get_by_label("Back to the word before").click()
    page.locator("#word-title").get_by_text(first, exact=True).wait_for()
    assert page.locator("#trail bdi").all_inner_texts() == [WORD, first]
    page.go_back()
    page.locator("#word-title").get_by_text(second, exact=True).wait_for()


def test_an_unknown_word_is_told_and_is_no_error_of_the_page(page):
    page.keyboard.press("/")
    page.locator("#search").fill("strnig")
    page.keyboard.press("Enter")
    told = page.locator("#word-body .error")
    told.wait_for()
    assert "strnig" in told.inner_text()
    assert "string" in told.inner_text()


def test_an_analogy_is_answered_and_its_arrows_are_drawn(page, vectors):
    page.get_by_role("tab", name="Analogy").click()
    for field, word in (("a", "read"), ("b", "reading"), ("c", "write")):
        page.locator(f"#analogy-{field}").fill(word)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Ask").first.click()
    answer = page.locator("#analogy-answer .answer")
    answer.wait_for()
    best = vectors[0].most_similar(positive=["reading", "write"], negative=["read"], topn=1)[0][0]
    assert answer.inner_text() == f"read is to reading as write is to {best}."
    settled(page)
    # The arrows have a colour that nothing else on the labels has.
    count = """canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let n = 0;
        for (let i = 0; i < data.length; i += 4)
            n += data[i] === 0xb3 && data[i + 1] === 0x26 && data[i + 2] === 0x1e;
        return n;
    }"""
    assert page.locator("canvas.labels").evaluate(count) > 30


def test_the_odd_one_out_is_found(page, vectors):
    words = ["string", "bytes", "integer", "directory"]
    page.get_by_role("tab", name="Odd one").click()
    page.locator("#odd-words").fill(" ".join(words))
    page.keyboard.press("Enter")
    answer = page.locator("#odd-answer .answer")
    answer.wait_for()
    assert answer.inner_text() == f"{vectors[0].doesnt_match(words)} fits least with the others."


def test_a_plane_of_two_axes_is_shown_and_left(page, vectors):
    page.get_by_role("tab", name="Axes").click()
    for field, word in (
        ("left", "read"),
        ("right", "write"),
        ("below", "client"),
        ("above", "server"),
    ):
        page.locator(f"#axis-{field}").fill(word)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Show the plane").click()
    page.locator("#axes-answer .extremes").first.wait_for()
    wv = vectors[0]
    axis = wv.get_vector("write", norm=True) - wv.get_vector("read", norm=True)
    along = wv.most_similar(positive=[axis], topn=None)
    furthest = wv.index_to_key[int(np.argmax(along))]
    right = page.locator("#axes-answer .extremes").nth(1).inner_text()
    assert right.split()[:3] == ["→", "write", furthest]
    assert "end=read&end=write&end=client&end=server" in page.url
    # Words set out for their places while the view is still on its way.
    page.evaluate("for (const id of ['fit', 'axes-leave']) document.getElementById(id).click()")
    page.wait_for_url(lambda url: "end=" not in url)
    settled(page)


def test_words_are_lassoed_listed_and_saved(page, vectors):
    settled(page)
    box = page.locator("canvas.points").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.locator("#lasso").click()
    page.mouse.move(middle[0] - 120, middle[1] - 120)
    page.mouse.down()
    for x, y in ((120, -120), (120, 120), (-120, 120), (-120, -110)):
        page.mouse.move(middle[0] + x, middle[1] + y, steps=8)
    page.mouse.up()
    page.locator("#selection-words li").first.wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    n = int(page.locator("#selection-about").inner_text().split()[0].replace(",", ""))
    assert 10 < n == len(rows) < len(vectors[0])
    ranks = [vectors[0].get_index(row["word"]) for row in rows if not row["word"].startswith("'")]
    assert ranks == sorted(ranks)
    assert int(rows[0]["count"]) == vectors[0].get_vecattr(rows[0]["word"], "count")
    places = np.array([(float(row["x"]), float(row["y"])) for row in rows])
    assert np.ptp(places, axis=0).max() < 1  # of a map that is 2 wide
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#selection-words li").count() == 0


def test_words_are_chosen_without_a_mouse(page, vectors):
    search(page, WORD)
    page.get_by_role("tab", name="Selection").click()
    page.get_by_role("button", name="Take all in sight").press("Enter")
    page.locator("#selection-words li").first.wait_for()
    n = int(page.locator("#selection-about").inner_text().split()[0].replace(",", ""))
    assert 3 < n < len(vectors[0])
    page.locator("#fit").press("Enter")
    settled(page)
    page.get_by_role("button", name="Take all in sight").press("Enter")
    page.get_by_text(f"{len(vectors[0]):,} words, the most frequent first.").wait_for()


def test_the_map_is_moved_by_keys_and_the_address_of_the_view_opens_again(page, watched, server):
    canvas = page.locator("canvas.points")
    settled(page)
    canvas.focus()
    for key in ("+", "+", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.locator("#word-title").wait_for()
    settled(page)
    page.wait_for_url("**view=**")
    address, word = page.url, page.locator("#word-title").inner_text()
    page.goto("about:blank")
    watched.open(address)
    page.locator("#word-title").get_by_text(word, exact=True).wait_for()
    settled(page)
    zoom = lambda url: [float(v) for v in url.split("view=")[1].split("&")[0].split("%2C")]  # noqa: E731
    assert zoom(page.url) == pytest.approx(zoom(address), rel=0.02, abs=0.01)
    assert zoom(page.url)[2] > 2


def test_hovering_shows_the_word_and_its_count(page, vectors):
    search(page, WORD)
    box = page.locator("canvas.points").bounding_box()
    # Who was searched for stands in the middle.
    page.mouse.move(box["x"] + 30, box["y"] + 60)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
    tip = page.locator(".tip")
    tip.wait_for()
    word, count = tip.locator("bdi").inner_text(), tip.locator(".dim").inner_text()
    assert count == f"seen {vectors[0].get_vecattr(word, 'count'):,} times"


def test_a_browser_without_webgl_has_a_list(watched, server, vectors):
    page = watched.open(f"{server.url}/?list")
    words = page.locator("ol.words bdi")
    assert words.first.inner_text() == vectors[0].index_to_key[0]
    page.locator("ol.words button").nth(5).click()
    assert neighbours(page) == [
        word for word, _ in vectors[0].most_similar(vectors[0].index_to_key[5])
    ]


def test_where_webgl_is_forbidden_the_list_is_there_by_itself(chromium, server, vectors):
    with launched(chromium.browser_type, "--disable-3d-apis") as started:
        watched = Watched(started)
        page = watched.open(server.url)
        page.locator("ol.words button").nth(3).click()
        assert neighbours(page) == [
            word for word, _ in vectors[0].most_similar(vectors[0].index_to_key[3])
        ]
        assert page.locator("#tools").is_hidden()
        watched.close()


def test_where_the_graphics_are_lost_a_list_is_there_instead(watched, server):
    watched.context.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            const context = get.call(this, kind, ...more);
            if (context && kind.includes('webgl')) window.drawing = context;
            return context;
        };"""
    )
    page = watched.open(server.url)
    settled(page)
    page.evaluate("drawing.getExtension('WEBGL_lose_context').loseContext()")
    page.locator("ol.words button").first.wait_for()
    assert "lost" in page.locator(".list").inner_text()
    assert page.locator("#tools").is_hidden()
    page.locator("#theme").click()  # paints what is there
    search(page, WORD)
    assert len(neighbours(page)) == 10


def test_an_address_that_is_put_into_the_open_page_is_opened(page):
    search(page, WORD)
    settled(page)
    page.evaluate("location.hash = '#word=file&view=0.1,-0.2,6'")
    page.locator("#word-title").get_by_text("file", exact=True).wait_for()
    page.wait_for_url("**view=0.1000*-0.2000*6.000*")
    page.evaluate("location.hash = '#view=0,0,1'")
    page.locator("#word-title").wait_for(state="detached")
    page.go_back()
    page.locator("#word-title").get_by_text("file", exact=True).wait_for()
    # A jump within the page is none to another view.
    page.evaluate("document.getElementById('skip').click()")
    assert page.locator("#word-title").count() == 1


def test_strange_words_are_text_and_never_markup(chromium):
    strange = [
        '<img src=x onerror="document.title=1">', "</script><script>x", 'a"b', "it's", "שלום",
        "مرحبا", "👩‍👩‍👧", "=1+1", "\u202eevil", "x" * 5000, "a,b", "tab\tin",
        "&amp;", "  ", "ordinary",
    ]  # fmt: skip
    matrix = np.random.default_rng(0).normal(size=(len(strange), 8)).astype(np.float32)
    wv = firth.KeyedVectors(firth.Vocab.from_words(strange), matrix)
    with served(Models({"<b>strange</b>": wv}), n_arranged=0) as server:
        watched = Watched(chromium)
        page = watched.open(server.url)
        for word in (strange[0], "x" * 5000, "\u202eevil", "👩‍👩‍👧"):
            search_field = page.locator("#search")
            search_field.fill(word)
            page.keyboard.press("Enter")
            page.locator("#word-body ol.neighbours li").nth(9).wait_for()
        assert page.locator(".pane .model bdi").inner_text() == "<b>strange</b>"
        assert page.locator("#side img, #side script, #stage b").count() == 0
        assert all(len(text) <= 60 for text in page.locator("#side bdi").all_inner_texts())
        watched.close()


@pytest.mark.parametrize(
    "attempt", ["new Function('return 7')()", "eval('7')", "document.body.innerHTML = '<b>7</b>'"]
)
def test_no_string_becomes_a_script_or_markup(chromium, server, attempt):
    watched = Watched(chromium)
    page = watched.open(server.url)
    # Later, for what a test evaluates itself is let through.
    tried = f"try {{ {attempt}; done('passed') }} catch (error) {{ done(error.name) }}"
    told = page.evaluate(f"() => new Promise(done => setTimeout(() => {{ {tried} }}))")
    assert told in {"TypeError", "EvalError"}
    watched.context.close()  # the console tells of it, as it should


def test_two_models_stand_side_by_side_and_differ(chromium, vectors):
    with served(Models({"all": vectors[0], "part": vectors[1]}), n_arranged=0) as server:
        watched = Watched(chromium)
        page = watched.open(server.url)
        assert page.locator(".pane").count() == 2
        search(page, WORD)
        here, there = neighbours(page, 0), neighbours(page, 1)
        assert there == [word for word, _ in vectors[1].most_similar(WORD)]
        alone = (
            page.locator("#word-body .column").first.locator("button.alone bdi").all_inner_texts()
        )
        assert alone == [word for word in here if word not in there]
        assert (
            f"{len(set(here) & set(there))} of 10 neighbours are the same"
            in page.locator("#word-body").inner_text()
        )
        page.get_by_role("tab", name="Moved").click()
        moved = page.locator("#moved-body ol button bdi")
        moved.first.wait_for()
        from firth.evaluation import diff

        expected = [each.word for each in diff(*vectors, restrict_vocab=20_000).moved(5, 1)]
        assert moved.all_inner_texts()[:5] == expected
        watched.close()


def test_what_is_chosen_in_one_map_is_chosen_in_the_other(chromium, vectors):
    with served(Models({"all": vectors[0], "part": vectors[1]}), n_arranged=0) as server:
        watched = Watched(chromium)
        page = watched.open(server.url)
        settled(page)
        before = page.evaluate("() => location.hash")
        first = page.locator("canvas.points").first
        box = first.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*middle)
        page.mouse.wheel(0, -400)
        settled(page)
        # The other map goes along, by the wheel and by the buttons.
        zoomed = """more => [...document.querySelectorAll(".pane")]
            .every(pane => (Number(pane.dataset.zoom) > 1.2) === more)"""
        page.wait_for_function(zoomed, arg=True)
        page.locator("#zoom-out").click()
        page.locator("#zoom-out").click()
        page.wait_for_function(zoomed, arg=False)
        page.locator("#fit").click()
        settled(page)
        page.mouse.move(*middle)
        page.mouse.wheel(0, -400)
        page.wait_for_function(zoomed, arg=True)
        settled(page)
        page.wait_for_function("before => location.hash != before", arg=before, timeout=10_000)
        page.locator("#lasso").click()
        page.mouse.move(middle[0] - 90, middle[1] - 90)
        page.mouse.down()
        for x, y in ((90, -90), (90, 90), (-90, 90), (-90, -80)):
            page.mouse.move(middle[0] + x, middle[1] + y, steps=6)
        page.mouse.up()
        page.locator("#selection-words li").first.wait_for()
        assert "chosen in all" in page.locator("#selection-about").inner_text()
        page.get_by_role("button", name="Show alone").click()
        chosen = page.locator("#selection-words bdi").all_inner_texts()
        assert page.get_by_role("button", name="Show alone").get_attribute("aria-pressed") == "true"
        page.locator("#selection-words button").first.click()
        assert page.locator("#word-title").inner_text() == chosen[0]
        watched.close()


def test_four_hundred_thousand_words_are_shown(chromium):
    n = 400_000
    matrix = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    wv = firth.KeyedVectors(firth.Vocab.from_words([f"word{i}" for i in range(n)]), matrix)
    with served(Models({"large": wv}), n_arranged=0) as server:
        watched = Watched(chromium)
        watched.page.set_default_timeout(120_000)
        page = watched.open(server.url)
        assert "400,000 words" in page.locator(".pane .model").inner_text()
        settled(page)
        # Points and labels are there: not the background alone.
        colours = """canvas => {
            const { width, height } = canvas;
            // Of a copy: the browser warns of a canvas that is read again and again.
            const copy = document.createElement('canvas');
            [copy.width, copy.height] = [width, height];
            const context = copy.getContext('2d', { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, width, height);
            let n = 0;
            for (let i = 3; i < data.length; i += 4) n += data[i] > 0;
            return n / (width * height);
        }"""
        # Looked at more than once: a slow machine draws late, and nothing is there between frames.
        for canvas, share in (("canvas.points", 0.2), ("canvas.labels", 0.01)):
            deadline = time.monotonic() + 60
            while page.locator(canvas).evaluate(colours) <= share:
                assert time.monotonic() < deadline, f"{canvas} stays empty"
                page.wait_for_timeout(200)
        search(page, "word399999")
        assert len(neighbours(page)) == 10
        watched.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_off_at_the_width_of_a_phone(chromium, server, width):
    settings = {"viewport": {"width": width, "height": 844}, "has_touch": width < 600}
    watched = Watched(chromium, **settings)
    page = watched.open(f"{server.url}/#word={WORD}")
    page.locator("#word-body ol.neighbours li").first.wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    box = page.locator("#word-title").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] < 844
    if width < 600:
        settled(page)
        before = page.url
        points = page.locator("canvas.points").bounding_box()
        page.touchscreen.tap(points["x"] + points["width"] / 2, points["y"] + points["height"] / 2)
        page.wait_for_timeout(500)
        assert page.locator("#word-title").count() == 1, before
    watched.close()


def test_a_training_is_watched_from_its_text_to_its_last_vectors(chromium, tmp_path):
    from firth.service import LiveTraining

    models = Models({})
    live = LiveTraining(models, "docs")
    app = create_app(models, training=live, routes=explorer_routes(models, live="docs"))
    text = list(islice(paragraphs(), 6000))
    gate = threading.Event()

    class Waits(CallbackAny2Vec):
        def on_epoch_end(self, model):
            if len(model.epoch_losses) == 1:
                gate.wait(60)

    def train():
        model = firth.Word2Vec(
            text, tokenizer="words", lowercase=True, vector_size=24, min_count=10, epochs=3,
            workers=1, callbacks=[*live.callbacks(by_time=True), Waits()],
        )  # fmt: skip
        live.keep(model.wv)

    with BackgroundServer(app) as server:
        watched = Watched(chromium)
        page = watched.page
        page.goto(server.url)
        page.get_by_text("The text is read").wait_for()
        training = threading.Thread(target=train)
        training.start()
        page.wait_for_selector("html[data-ready=true]", state="attached")
        assert page.get_by_role("tab", name="Training").get_attribute("aria-selected") == "true"
        field = page.get_by_label("Watch a word")
        field.fill(WORD)
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.locator(".watched").get_by_role("button", name=WORD, exact=True).first.wait_for()
        told = page.locator("#panel-training")
        assert "Training: " in told.inner_text()
        gate.set()
        told.get_by_text("Finished").wait_for()
        training.join()
        assert "3.0 of 3" in told.inner_text()
        assert "words/s" in told.inner_text()
        page.locator(".watched .fresh").first.wait_for()  # neighbours of later vectors
        search(page, WORD)
        last = models.get("docs").wv
        assert neighbours(page) == [word for word, _ in last.most_similar(WORD)]
        watched.close()
        live.close()
