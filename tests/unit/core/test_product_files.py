import pytest

from botarmy.agents.product import PARTS, merge_files, product_files
from botarmy.artifacts import KINDS
from botarmy.checks import FileText
from botarmy.errors import UnsafePath
from tests.factories import content, contents


def files(**by_path):
    return tuple(FileText(path=path.replace("__", "/"), content=text) for path, text in by_path.items())


def test_the_product_is_everything_that_carries_files():
    paths = [file.path for file in product_files(contents())]
    assert paths == sorted(paths)
    assert set(paths) == {file["path"] for kind in PARTS for file in content(kind)["files"]}
    assert {kind for kind, schema in KINDS.items() if "files" in schema.model_fields} == set(PARTS)


def test_kinds_that_are_not_there_yet_are_passed_over():
    assert [file.path for file in product_files({"documentation": content("documentation")})] == ["README.md"]


def test_the_same_file_twice_is_one_file():
    tree = merge_files({"a": files(x="1"), "b": files(x="1")})
    assert tree.conflicts == ()
    assert len(tree.files) == 1


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (files(x="1"), files(x="2"), "b writes x, which a writes differently"),
        (files(Read="1"), files(read="1"), "b writes read, which a writes as Read, which differs only in case"),
        (files(x__y="1"), files(x="2"), "b writes the file x, which a uses as a folder (x/y)"),
        (files(x="1"), files(x__y__z="2"), "b uses x as a folder (x/y/z), which a writes as a file"),
    ],
)
def test_files_that_cannot_lie_in_one_tree_are_named(first, second, words):
    tree = merge_files({"a": first, "b": second})
    assert tree.conflicts == (words,)
    assert tree.files == first


def test_a_product_with_conflicts_is_refused():
    parts = contents("source_code", "documentation")
    parts["documentation"]["files"] = [{"path": "app/__main__.py", "content": "other"}]
    with pytest.raises(UnsafePath, match=r"documentation writes app/__main__\.py"):
        product_files(parts)
