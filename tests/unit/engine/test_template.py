from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from workbench.base.errors import UserError
from workbench.engine.template import TemplateError, TemplateRenderer

BOMBS = {
    "a huge text": "{{ 'a' * 3000000000 }}",
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "attributes": "{% for i in range(99999) %}{% for j in range(99999) %}{{ ''|attr('x') }}{% endfor %}{% endfor %}",
    "times": "{% for i in range(99999) %}{% set x = strftime_now('%A' * 99999) %}{% endfor %}",
    "doubling": "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
}


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    renderer = TemplateRenderer(seconds=0.5)
    renderer.start()
    yield renderer
    renderer.close()


def test_it_renders_as_transformers_does(renderer: TemplateRenderer) -> None:
    template = (
        "{%- for m in messages %}\n    {% generation %}{{ m.role }}={{ m.content | trim }};{% endgeneration %}\n"
        "{%- if loop.index == 2 %}{% break %}{% endif %}{% endfor %}"
        "{{ messages | tojson }}{{ bos_token }}{{ strftime_now('%%') }}"
    )
    messages = [
        {"role": "user", "content": " <é> "},
        {"role": "assistant", "content": "b"},
        {"role": "x", "content": ""},
    ]
    text = renderer.render(template, {"messages": messages, "bos_token": "<s>"})
    assert text.replace("\n", "").replace(" ", "").startswith('user=<é>;assistant=b;[{"role":"user","content":"<é>"}')
    assert text.endswith("<s>%")


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_soon_and_the_next_template_renders(renderer: TemplateRenderer, bomb: str) -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match="too much time or memory"):
        renderer.render(bomb, {})
    assert time.monotonic() - began < 5
    assert renderer.render("{{ 1 + 1 }}", {}) == "2"


def test_a_template_of_megabytes_is_refused(renderer: TemplateRenderer) -> None:
    with pytest.raises(UserError, match="8,000,005 characters long"):
        renderer.render("{##}\n" + "x" * 8_000_000, {})


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('no system role') }}", "no system role"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.append(1) }}", "append.*unsafe"),
        ("{% if %}", "Expected"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "calls itself"),
        ("{{ open('/etc/passwd') }}", "undefined"),
    ],
)
def test_a_template_that_fails_says_why(renderer: TemplateRenderer, template: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        renderer.render(template, {"messages": []})


def test_a_killed_process_is_replaced(renderer: TemplateRenderer) -> None:
    renderer.render("a", {})
    renderer.close()
    assert renderer.render("b", {}) == "b"
