"""Chat templates of our own that write tool calls in the ways that those of well-known models do."""

from __future__ import annotations

_TURNS = "{% for m in messages %}"
_END = "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_TOOLS = "{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
_PLAIN = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"


def _template(calls: str, result: str = _PLAIN, *, tools: str = _TOOLS, plain: str = _PLAIN) -> str:
    return (
        f"{tools}{_TURNS}{{% if m.tool_calls %}}<|im_start|>assistant\n{calls}<|im_end|>\n"
        f"{{% elif m.role == 'tool' %}}{result}{{% else %}}{plain}{{% endif %}}{_END}"
    )


_EACH = "{% for c in m.tool_calls %}"
_JSON = '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}'

NATIVE = {
    # as Hermes and Qwen: a text may stand before the calls
    "json in tags": _template(
        f"{{{{ m.content }}}}{_EACH}{{% if not loop.first or m.content %}}\n{{% endif %}}<tool_call>\n{_JSON}\n"
        "</tool_call>{% endfor %}"
    ),
    # as Llama: one call, the text is dropped
    "bare json": _template(
        '{% if m.tool_calls | length > 1 %}{{ raise_exception("one call") }}{% endif %}{% set c = m.tool_calls[0] %}'
        '{"name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}',
    ),
    # as Mistral: a list after a mark, ids of nine letters
    "list with ids": _template(
        "{{ m.content }}[TOOL_CALLS][" + _EACH + "{% if c.id | length != 9 %}{{ raise_exception('id') }}{% endif %}"
        '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "{{ c.id }}"}'
        "{% if not loop.last %}, {% endif %}{% endfor %}]",
        "[TOOL_RESULTS]{{ m.tool_call_id }} {{ m.content }}[/TOOL_RESULTS]",
    ),
    # as functionary: the name outside of the JSON
    "name outside": _template(
        f"{{{{ m.content }}}}{_EACH}<function={{{{ c.function.name }}}}>{{{{ c.function.arguments | tojson }}}}"
        "</function>{% endfor %}"
    ),
    # as DeepSeek R1: arguments as text, no content beside calls, tools are not shown
    "text only": _template(
        "{% if m.content is not none %}{{ raise_exception('content') }}{% endif %}"
        + _EACH
        + "<call>{{ c.function.name }}\n```json\n{{ c.function.arguments + '' }}\n```</call>{% endfor %}",
        tools="",
    ),
    # as Kimi: named by an id with a number
    "numbered names": _template(
        f"{{{{ m.content }}}}<calls>{_EACH}<call>functions.{{{{ c.function.name }}}}:{{{{ loop.index0 }}}}<arguments>"
        "{{ c.function.arguments | tojson }}</call>{% endfor %}</calls>"
    ),
    "ids as names": _template(
        f"{{{{ m.content }}}}<calls>{_EACH}<call>{{{{ c.id }}}}<arguments>{{{{ c.function.arguments | tojson }}}}"
        "</call>{% endfor %}</calls>",
        "<result>{{ m.tool_call_id }} {{ m.content }}</result>",
    ),
    # as Qwen 3 Coder
    "tagged": _template(
        f"{{{{ m.content }}}}{_EACH}\n<tool_call>\n<function={{{{ c.function.name }}}}>\n"
        "{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>\n"
        "{{ v if v is string else v | tojson }}\n</parameter>\n{% endfor %}</function>\n</tool_call>{% endfor %}"
    ),
    # as DeepSeek 3.2: the type in the tag, all calls between marks
    "typed tags": _template(
        f'{{{{ m.content }}}}<calls>\n{_EACH}<invoke name="{{{{ c.function.name }}}}">\n'
        '{% for k, v in c.function.arguments.items() %}<parameter name="{{ k }}" '
        "string=\"{{ 'true' if v is string else 'false' }}\">{{ v if v is string else v | tojson }}</parameter>\n"
        "{% endfor %}</invoke>\n{% endfor %}</calls>"
    ),
    # as MiniMax M3: the name of an argument closes it
    "named tags": _template(
        f'{{{{ m.content }}}}{_EACH}<invoke name="{{{{ c.function.name }}}}">'
        "{% for k, v in c.function.arguments.items() %}<{{ k }}>{{ v if v is string else v | tojson }}</{{ k }}>"
        "{% endfor %}</invoke>{% endfor %}"
    ),
    # as Gemma 4: marks around texts, sorted names
    "braces": _template(
        f"{_EACH}<|tool_call>call:{{{{ c.function.name }}}}{{{{ '{{' }}}}"
        "{% for k, v in c.function.arguments | dictsort %}{% if not loop.first %},{% endif %}{{ k }}:"
        "{% if v is string %}<|q|>{{ v }}<|q|>{% else %}{{ v | tojson }}{% endif %}{% endfor %}"
        f"{{{{ '}}' }}}}<tool_call|>{{% endfor %}}"
    ),
    # as Qwen 3: the template opens the thoughts
    "opened thoughts": _template(
        f"<think>\n\n</think>\n\n{{{{ m.content }}}}{_EACH}<tool_call>{_JSON}</tool_call>{{% endfor %}}"
    )
    + "{% if add_generation_prompt %}<think>\n{% endif %}",
}

NONE = {
    "no tools": _TURNS + _PLAIN + _END,
    "drops calls": _template("{{ m.content }}"),
    "drops results": _template(_EACH + _JSON + "{% endfor %}", ""),
    "as Python": _template(_EACH + "{{ c.function.name }} {{ [c.function.arguments] }}{% endfor %}"),
    "only raises": "{{ raise_exception('no') }}",
    "nothing": "",
}
