"""Windows of configuration files, and the layers that they hold in, are those of Transformers' own classes."""

import json
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import ConfigError
from estimator.formulas.flops import attention_span
from estimator.formulas.shapes import transformer
from estimator.inputs.huggingface import read_config

CONFIGS = Path(__file__).parent / "configs"
ON = {"use_sliding_window": True, "sliding_window": 512}
SLIDING, CHUNKED, FULL = "sliding_attention", "chunked_attention", "full_attention"


def changed(folder: Path, name: str, changes: dict[str, Any]) -> dict[str, float]:
    """Read a file, its language part alone, with some keys changed; ``...`` takes a key out."""
    raw = json.loads((CONFIGS / f"{name}.json").read_text())
    raw = raw | raw.pop("text_config", {}) | changes
    path = folder / "config.json"
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not ...}))
    return read_config(path)


@pytest.mark.parametrize(
    ("name", "window", "layers"),
    [
        ("gemma-2-9b", 4096, 21),  # arXiv:2408.00118, Section 2: every other one of 42
        ("gemma-3-4b", 1024, 29),  # arXiv:2503.19786, Section 2: five local layers for each global one, of 34
        ("gemma-3-27b", 1024, 52),  # of 62
        ("gpt-oss-20b", 128, 12),  # arXiv:2508.10925: alternating, of 24
        ("gpt-neo-2.7b", 256, 16),  # of 32
        ("llama-4-scout", 8192, 36),  # of 48
        ("llama-4-maverick", 8192, 36),
        ("mistral-7b", 4096, 32),  # arXiv:2310.06825, Section 2: all of 32
        ("starcoder2-15b", 4096, 40),
        ("phi-3-mini", 2047, 32),
    ],
)
def test_windows_of_released_models(name, window, layers):
    read = read_config(CONFIGS / f"{name}.json")
    assert (read["window"], read["window_layers"]) == (window, layers)


@pytest.mark.parametrize(
    "name",
    [
        "mixtral-8x7b",
        "qwen2.5-7b",
        "qwen3-8b",
        "qwen3-30b-a3b",
        "qwen1.5-moe-a2.7b",
        "smollm3-3b",
        "llama-65b",
    ],
)
def test_files_without_windows_leave_them_out(name):
    assert not {"window", "window_layers"} & read_config(CONFIGS / f"{name}.json").keys()


# What the configuration classes of Transformers 5.23.0 make of the same keys.
@pytest.mark.parametrize(
    ("name", "changes", "window", "layers"),
    [
        ("gemma-2-9b", {"num_hidden_layers": 7}, 4096, 4),
        ("gemma-2-9b", {"sliding_window": ...}, 4096, 21),
        ("gemma-3-27b", {"sliding_window": ...}, 4096, 52),
        ("gemma-3-27b", {"sliding_window_pattern": 5}, 1024, 50),
        ("gemma-3-27b", {"num_hidden_layers": 5}, 1024, 5),
        ("gemma-3-27b", {"num_hidden_layers": 3, "layer_types": [SLIDING, FULL, FULL]}, 1024, 1),
        ("gpt-oss-20b", {"layer_types": ..., "sliding_window": ...}, 128, 12),
        ("gpt-oss-20b", {"layer_types": ..., "num_hidden_layers": 25}, 128, 13),
        ("llama-4-scout", {"attention_chunk_size": ...}, 8192, 36),
        ("llama-4-scout", {"no_rope_layers": []}, 8192, 36),
        ("llama-4-scout", {"no_rope_layers": [1, 0, 0] * 16}, 8192, 16),
        ("llama-4-scout", {"no_rope_layer_interval": 5}, 8192, 39),
        ("llama-4-scout", {"layer_types": [CHUNKED, FULL] * 24}, 8192, 24),
        ("command-r-plus", {"model_type": "cohere2"}, 4096, 48),
        ("command-r-plus", {"model_type": "cohere2", "sliding_window_pattern": 3}, 4096, 43),
        ("olmo-2-7b", {"model_type": "olmo3"}, 4096, 24),
        ("olmo-2-7b", {"model_type": "olmo3", "num_hidden_layers": 7, "sliding_window": 9}, 9, 6),
        ("mistral-7b", {"sliding_window": ...}, 4096, 32),
        ("starcoder2-15b", {"num_hidden_layers": 7}, 4096, 7),
        ("qwen2.5-7b", ON | {"max_window_layers": 20}, 512, 8),
        ("qwen2.5-7b", ON | {"max_window_layers": ..., "num_hidden_layers": 100}, 512, 72),
        ("qwen2.5-7b", ON | {"max_window_layers": ..., "num_hidden_layers": 100, "model_type": "qwen2_vl"}, 512, 20),
        ("qwen2.5-7b", ON | {"max_window_layers": 0, "sliding_window": ...}, 4096, 28),
        ("qwen3-8b", ON | {"max_window_layers": 6}, 512, 30),
        ("qwen3-30b-a3b", ON, 512, 48),
        ("qwen1.5-moe-a2.7b", ON | {"max_window_layers": 9}, 512, 5),
        ("qwen1.5-moe-a2.7b", ON | {"max_window_layers": 40, "num_hidden_layers": 25}, 512, 13),
        ("smollm3-3b", ON, 512, 9),
        ("smollm3-3b", ON | {"no_rope_layers": [1, 0, 0] * 12}, 512, 24),
        ("gpt-neo-2.7b", {"attention_types": [[["global", "local", "local", "local"], 8]]}, 256, 24),
        ("gpt-neo-2.7b", {"attention_types": [[["global"], 30], [["local"], 2]], "window_size": 64}, 64, 2),
        ("gpt-neo-2.7b", {"attention_types": ..., "num_layers": 24, "window_size": ...}, 256, 12),
    ],
)  # fmt: skip
def test_windows_in_part_of_the_layers(tmp_path, name, changes, window, layers):
    read = changed(tmp_path, name, changes)
    assert (read["window"], read["window_layers"]) == (window, layers)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gemma-2-9b", {"sliding_window": None}),
        ("gemma-2-9b", {"num_hidden_layers": 2, "layer_types": [FULL, FULL]}),
        ("gemma-3-27b", {"sliding_window_pattern": 1}),
        ("mistral-7b", {"sliding_window": None}),
        ("mistral-7b", {"sliding_window": 0}),
        ("mixtral-8x7b", {"sliding_window": ...}),
        ("starcoder2-15b", {"sliding_window": ...}),
        ("llama-4-scout", {"attention_chunk_size": None}),
        ("llama-4-scout", {"no_rope_layer_interval": 1}),
        ("qwen2.5-7b", ON),
        ("qwen2.5-7b", ON | {"max_window_layers": 99}),
        ("qwen2.5-7b", ON | {"sliding_window": None, "max_window_layers": 0}),
        ("qwen2.5-7b", {"layer_types": [SLIDING] * 28}),
        ("smollm3-3b", ON | {"sliding_window": ...}),
    ],
)
def test_windows_that_no_layer_has(tmp_path, name, changes):
    assert not {"window", "window_layers"} & changed(tmp_path, name, changes).keys()


def test_a_list_of_layers_wins_where_all_would_have_the_window(tmp_path):
    # MistralConfig leaves the list out, with a warning to read the file as Ministral, which minds it.
    assert changed(tmp_path, "mistral-7b", {"layer_types": [SLIDING, FULL] * 16})["window_layers"] == 16


LISTS = "where a list of whole numbers belongs"


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("gemma-2-9b", {"layer_types": [SLIDING] * 5}, "'layer_types' lists 5 layers, where the model has 42"),
        ("gemma-2-9b", {"layer_types": [SLIDING, 5]}, "'layer_types' is a list, where a list of texts belongs"),
        ("gemma-2-9b", {"layer_types": "all"}, "'layer_types' is 'all', where a list of texts belongs"),
        ("gemma-2-9b", {"num_hidden_layers": ..., "layer_types": [SLIDING] * 5}, "lacks 'num_hidden_layers'"),
        ("gemma-3-27b", {"sliding_window_pattern": 0},
         "'sliding_window_pattern' is 0, where a whole number from 1 to 1e9 belongs"),
        ("mistral-7b", {"sliding_window": -1},
         "'sliding_window' is -1, where a whole number from 0 to 1e9 belongs"),
        ("qwen2.5-7b", {"use_sliding_window": 1}, "'use_sliding_window' is 1, where true or false belongs"),
        ("llama-4-scout", {"no_rope_layers": [1] * 49}, "'no_rope_layers' lists 49 layers, where the model has 48"),
        ("llama-4-scout", {"no_rope_layers": [True] * 48}, f"'no_rope_layers' is a list, {LISTS}"),
        ("gpt-neo-2.7b", {"attention_types": [[["global", "local"], 12]]},
         "'attention_types' lists 24 layers, where the model has 32"),
        ("gpt-neo-2.7b", {"attention_types": [["local"]]},
         "'attention_types' is a list, where a list of kinds and their repeats belongs"),
    ],
)  # fmt: skip
def test_faults_of_windows(tmp_path, name, changes, words):
    with pytest.raises(ConfigError) as caught:
        changed(tmp_path, name, changes)
    assert str(caught.value) == f"--config: '{tmp_path / 'config.json'}' {words}"


def test_the_span_of_a_file_is_that_of_its_layers():
    model = transformer(**read_config(CONFIGS / "gemma-3-27b.json"))
    # By hand: 52 of 62 layers meet 1,024 keys, 10 meet 8,192.
    assert float(attention_span(model, 8192.0)) == pytest.approx((52 * 1024 + 10 * 8192) / 62)
