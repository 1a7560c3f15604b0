"""`estimate sweep` of a fleet: its options beside those of runs, pools by their letters, and the file of its cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .run import Ran

Estimate = Callable[..., Ran]
POOLS = ("64 x a100-sxm-80gb, site=a", "32 x ascend-910b, site=b, price=1.5 USD/gpu/hour")
ASKED = ("sweep", "--params", "7B", *(word for pool in POOLS for word in ("--pool", pool)))
VARY = ("--vary", "link=10:1000:x10 Gbit/s", "--vary", "a.count=64,128")


def test_the_table(estimate: Estimate) -> None:
    ran = estimate(*ASKED, *VARY)
    assert (ran.code, ran.err) == (0, "")
    head, *rows = ran.out.splitlines()
    assert head.split()[:4] == ["link", "[Gbit/s]", "A.count", "throughput"]
    assert [row.split()[:2] for row in rows[:6]] == [
        [link, count] for link in ("10", "100", "1,000") for count in ("64", "128")
    ]
    # What is told to be typed is answered, by the same numbers.
    asked = rows[-1].partition("estimate ")[2]
    assert asked == (
        "fleet --params 7B --link '10 Gbit/s' --pool '64 x a100-sxm-80gb, site=a' "
        "--pool '32 x ascend-910b, price=1.5 USD/gpu/hour, site=b'"
    ).replace("7B", "7000000000")


def test_a_file_is_the_same_by_whoever_makes_it(estimate: Estimate, tmp_path: Path) -> None:
    alone, apart = (tmp_path / name for name in ("alone.csv", "apart.csv"))
    assert estimate(*ASKED, *VARY, "-o", str(alone)).code == 0
    assert estimate(*ASKED, *VARY, "-o", str(apart), "--workers", "2").code == 0
    assert alone.read_bytes() == apart.read_bytes()
    assert alone.read_text(encoding="utf-8").startswith(
        "link [Gbit/s],A.count [accelerator],throughput [token/s],"
    )
