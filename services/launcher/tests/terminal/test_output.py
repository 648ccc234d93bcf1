import json

from forgesyte_launcher.terminal.output import say_document, table


def test_a_table_in_a_pipe_is_neither_cut_nor_wrapped_nor_read_as_markup(capsys):
    table("name", rows=[("[b]" + "x" * 300,)])

    assert "[b]" + "x" * 300 in capsys.readouterr().out


def test_a_document_is_printed_as_plain_json(capsys):
    say_document({"b": "[red]é", "a": [1]})

    printed = capsys.readouterr().out
    assert json.loads(printed) == {"b": "[red]é", "a": [1]}
    assert printed.index('"b"') < printed.index('"a"'), "keys keep their order"
