from __future__ import annotations

from pathlib import Path

from helpers.har_files import write_har
from helpers.loopback import unused_port
from helpers.running import Functa


def test_the_catalogue_is_listed_with_terms_and_citation(functa: Functa) -> None:
    listed = functa("datasets", "list")
    assert listed.code == 0
    assert "CC BY-NC 3.0" in listed.out
    sources = {source["name"]: source for source in functa("datasets", "list", "--json").json["datasets"]}
    assert sources.keys() == {"cifar10", "esc50", "fsdd", "hmdb51", "jhmdb", "mnist", "uci-har", "utd-mhad"}
    assert sources["uci-har"]["downloads"][0]["checksum"].startswith("sha256:")


def test_a_folder_is_checked_and_in_part_is_exit_code_3(functa: Functa, tmp_path: Path) -> None:
    root = write_har(tmp_path)
    whole = functa("datasets", "check", tmp_path, "--json")
    assert (whole.code, whole.json["name"], whole.json["complete"]) == (0, "uci-har", True)
    (root / "test" / "subject_test.txt").unlink()
    part = functa("datasets", "check", root, "--dataset", "uci-har")
    assert part.code == 3
    assert "holds uci-har, in part" in part.out


def test_without_a_network_the_licence_and_one_line_are_printed(functa: Functa, tmp_path: Path, monkeypatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    outcome = functa("datasets", "fetch", "mnist", "--out", tmp_path)
    assert outcome.code == 1
    title, licence, cite, error = (line for line in outcome.err.splitlines() if line.strip())
    assert (title[:5], licence[:9], cite[:12]) == ("MNIST", "Licence: ", "Please cite:")
    assert "the proxy cannot be reached or refuses" in error
    assert "put it at" in error


def test_an_unknown_data_set_is_a_usage_error(functa: Functa, tmp_path: Path) -> None:
    outcome = functa("datasets", "fetch", "imagenet", "--out", tmp_path)
    assert outcome.code == 2
    assert "data set 'imagenet' is not in the catalogue" in outcome.error_line()
