"""Verdicts on the recorded claims; written by scripts/make_docs.py, not by hand."""

from math import nan

# The verdict on each claim; of each statement of it our value, its low and high end in house units, and their unit.
# fmt: off
VERDICTS: dict[str, tuple[str, list[tuple[float, float, float, str]]]] = {
    "A1": ("holds if", [
        (0.996434, 0.804027, 1, "1"),
    ]),
    "A2": ("holds if", [
        (0.980656, 0.765474, 1, "1"),
    ]),
    "A3": ("holds", [
        (64, 29, 116, "accelerator"),
    ]),
    "A4": ("holds", [
        (24237.9, 17965.7, 34334.8, "s"),
    ]),
    "A5": ("holds if", [
        (18.5556, 11.6811, 44.9285, "1"),
    ]),
    "A6": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "A7": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "A8": ("holds if", [
        (1.73171, 1.2108, 19.6993, "s"),
    ]),
    "B1": ("holds", [
        (5, 2, 9, "accelerator"),
        (1.34021e+06, 1.34021e+06, 1.34021e+06, "CNY"),
    ]),
    "B2": ("holds if", [
        (0.107074, 0.106247, 0.110083, "1"),
    ]),
    "B3": ("holds", [
        (8, 8, 8, "accelerator"),
    ]),
    "C1": ("holds if", [
        (32000, 30384, 32000, "accelerator"),
    ]),
    "C2": ("holds if", [
        (9.363e+08, 9.02554e+08, 1.58944e+09, "USD"),
    ]),
    "C3": ("holds if", [
        (0.355144, 0.301476, 0.579632, "USD/day"),
    ]),
    "C4": ("holds if", [
        (1.51984e+06, 940357, 2.87706e+06, "USD"),
    ]),
    "C5": ("holds if", [
        (2.22156e+06, 1.37553e+06, 4.20932e+06, "USD"),
        (1.37801e+07, 8.71827e+06, 2.70222e+07, "USD"),
        (2.16206e+08, 1.24585e+08, 4.73107e+08, "USD"),
    ]),
    "C6": ("holds if", [
        (7.52494e+18, 7.52494e+18, 7.52494e+18, "FLOP/s"),
    ]),
    "C7": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "C8": ("holds if", [
        (1.04744, 0.677943, 1.64901, "1"),
    ]),
    "C9": ("holds", [
        (0.1, 0.1, 0.1, "1"),
    ]),
    "C10": ("holds if", [
        (8.75937e+06, 6.52302e+06, 1.23876e+07, "s"),
    ]),
    "C11": ("holds if", [
        (3.12e+18, 3.12e+18, 3.12e+18, "FLOP/s"),
    ]),
    "C12": ("holds", [
        (12520.5, 12520.5, 12520.5, "accelerator"),
    ]),
    "C13": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "D1": ("holds if", [
        (10000, 10000, 10000, "accelerator"),
        (9.71873e+06, 6.20734e+06, 1.74571e+07, "USD"),
    ]),
    "D2": ("does not hold", [
        (29, 29, 29, "1"),
        (5.4035e+11, 5.4035e+11, 5.4035e+11, "1"),
    ]),
    "D3": ("holds", [
        (5.29601e+11, 5.29601e+11, 5.29601e+11, "1"),
    ]),
    "D4": ("holds", [
        (1.57131e+12, 1.57131e+12, 1.57131e+12, "1"),
    ]),
    "D5": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "D6": ("holds", [
        (0.607, 0.589, 0.607, "1"),
    ]),
    "D7": ("does not hold", [
        (10, 10, 10, "1"),
    ]),
    "D8": ("does not hold", [
        (67, 67, 67, "1"),
    ]),
    "E1": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "E2": ("holds if", [
        (366.481, 333.165, 407.202, "1"),
    ]),
    "E3": ("holds", [
        (1, 1, 1, "1"),
    ]),
    "E4": ("cannot be judged", [
        (nan, nan, nan, "1"),
    ]),
    "E5": ("holds if", [
        (1.42649, 1.34384, 1.55115, "1"),
    ]),
    "E6": ("does not hold", [
        (3, 3, 3, "1"),
    ]),
}
