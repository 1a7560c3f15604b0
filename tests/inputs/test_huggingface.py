"""Configuration files of well-known models lead to their published parameter counts; bad files to one sentence."""

import json
import math
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Run
from estimator.errors import ConfigError, QuestionError
from estimator.formulas.parameters import active_parameters, total_parameters
from estimator.formulas.shapes import DIMENSIONS, transformer
from estimator.inputs.huggingface import read_config, read_sample
from estimator.inputs.huggingface.reading import MOST_PARAMETERS
from estimator.presets import Presets

CONFIGS = Path(__file__).parent / "configs"
FILES = sorted({path.stem for path in CONFIGS.glob("*.json")} - {"published", "unsaid"})
PUBLISHED = json.loads((CONFIGS / "published.json").read_text())
PUBLISHED.pop("meaning of the sources")
# Without a printed count of the kind: only their dimensions are compared.
UNCOUNTED = {"grok-1", "internlm-7b", "kimi-k2", "llama-4-scout"}
RECORDS = {"falcon-40b-refinedweb": "falcon-40b", "llama-3.1-8b": "llama-3-8b"}
RECORDED = [name for name in FILES if RECORDS.get(name, name) in Presets().files("models")]


def refusal(path: Path) -> str:
    """Return the words of the error, or nothing where the file reads as dimensions that make a model."""
    try:
        dims = read_config(path)
    except ConfigError as error:
        return str(error)
    assert dims.keys() <= set(DIMENSIONS)
    assert math.isfinite(float(total_parameters(transformer(**dims)).total))
    return ""


def count(name: str) -> float:
    return float(total_parameters(transformer(**read_config(CONFIGS / f"{name}.json"))).total)


def test_every_file_is_checked():
    assert PUBLISHED.keys() | UNCOUNTED == set(FILES)


@pytest.mark.parametrize("name", PUBLISHED)
def test_count_against_the_published_one(name):
    given = PUBLISHED[name]
    assert count(name) == pytest.approx(given["count"], rel=0.0 if given["exact"] else 0.005)


@pytest.mark.parametrize("name", RECORDED)
def test_dimensions_agree_with_the_record_of_the_model(name):
    record = Presets().load("models", RECORDS.get(name, name))
    ours = transformer(**read_config(CONFIGS / f"{name}.json"))
    theirs = transformer(**{key: record.value(key) for key in DIMENSIONS if key in record.figures})
    pairs = {key: (getattr(ours, key), getattr(theirs, key)) for key in DIMENSIONS}
    assert {key: pair for key, pair in pairs.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("deepseek-v3", 37e9),  # arXiv:2412.19437, abstract
        ("llama-4-scout", 17e9),  # model card
        ("qwen3-30b-a3b", 3.3e9),  # model card
        ("mixtral-8x7b", 12.9e9),  # arXiv:2401.04088, Section 2.2: 13B
    ],
)
def test_active_parameters(name, printed):
    model = transformer(**read_config(CONFIGS / f"{name}.json"))
    assert float(active_parameters(model)) == pytest.approx(printed, rel=0.02)


def test_an_encoder_tells_the_tokens_of_a_sample_and_masks_none():
    assert read_sample(CONFIGS / "bert-large.json") == {"causal": 0.0, "seq": 512.0}
    # 14 x 14 patches of an image of 224 x 224 and the class token
    assert read_sample(CONFIGS / "vit-b16.json") == {"causal": 0.0, "seq": 197.0}
    assert read_sample(CONFIGS / "llama-65b.json") == read_sample(CONFIGS / "t5-11b.json") == {}
    with pytest.raises(ConfigError, match=r"--config: '.*' does not exist"):
        read_sample(CONFIGS / "none.json")


def test_the_head_of_an_image_model_sees_one_token_of_a_sample(tmp_path):
    classes = {str(place): f"class {place}" for place in range(1000)}
    bare, headed = (changed(tmp_path, "vit-b16", id2label=labels) for labels in (..., classes))
    assert bare["vocab"] == headed["vocab"] == 0.0
    assert headed["extra"] - bare["extra"] == 1000 * 768 + 1000
    assert fault(tmp_path, "vit-b16", {"id2label": 5}) == "'id2label' is 5, where an object belongs"


def written(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(folder: Path, name: str, **changes: object) -> dict[str, float]:
    """Read a file with some keys changed; ``...`` takes a key out."""
    raw = json.loads((CONFIGS / f"{name}.json").read_text()) | changes
    return read_config(written(folder, {key: value for key, value in raw.items() if value is not ...}))


@pytest.mark.parametrize("case", json.loads((CONFIGS / "unsaid.json").read_text()), ids=str)
def test_what_a_file_leaves_unsaid(tmp_path, case):
    changes = case["changed"] | dict.fromkeys(case["without"], ...)
    model = transformer(**changed(tmp_path, case["model"], **changes))
    assert getattr(model, case["dimension"]) == case["expected"]


@pytest.mark.parametrize(
    ("name", "model_type", "architectures"),
    [
        ("llama-65b", "Yi", ["YiForCausalLM"]),
        ("llama-65b", "aquila", ["AquilaForCausalLM"]),
        ("t5-11b", "mt5", ["MT5ForConditionalGeneration"]),
        ("llama-65b", ..., ["LlamaForCausalLM"]),
        ("llama-65b", "something_new", ["LlamaForCausalLM"]),
        ("mpt-7b", None, ["MPTForCausalLM"]),
        ("pythia-12b", ..., ["GPTNeoXForCausalLM"]),
        ("qwen-7b", ..., ["QWenLMHeadModel"]),
        ("t5-11b", ..., ["T5ForConditionalGeneration"]),
        ("gpt-oss-20b", "GPT-OSS", ...),
        ("deepseek-v3", ..., ["DeepseekV3ForCausalLM"]),
        ("grok-1", ..., ["Grok1ModelForCausalLM"]),
        ("qwen2.5-7b", "qwen2_5_vl_text", ...),
    ],
)
def test_the_family_by_other_names(tmp_path, name, model_type, architectures):
    read = changed(tmp_path, name, model_type=model_type, architectures=architectures)
    assert read == read_config(CONFIGS / f"{name}.json")


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_the_language_part_of_a_multimodal_file(tmp_path, key):
    inner = json.loads((CONFIGS / "qwen3-8b.json").read_text())
    del inner["tie_word_embeddings"]
    outer = {"model_type": "novel_vl", "hidden_size": 5, "tie_word_embeddings": True, key: inner}
    read = read_config(written(tmp_path, outer))
    assert read == read_config(CONFIGS / "qwen3-8b.json") | {"tied": 1.0}


def fault(folder: Path, name: str, changes: dict[str, object]) -> str:
    """Return the words behind the path of the error that a changed file meets."""
    with pytest.raises(ConfigError) as caught:
        changed(folder, name, **changes)
    start, _, words = str(caught.value).partition("' ")
    assert start == f"--config: '{folder / 'config.json'}"
    return words


WHOLE = "where a whole number from 1 to 1e9 belongs"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_hidden_layers": ..., "hidden_size": ...}, "lacks 'hidden_size' and 'num_hidden_layers'"),
        ({"vocab_size": None, "hidden_size": ..., "intermediate_size": ...},
         "lacks 'hidden_size', 'intermediate_size' and 'vocab_size'"),
        ({"hidden_size": "4096"}, f"'hidden_size' is '4096', {WHOLE}"),
        ({"hidden_size": True}, f"'hidden_size' is true, {WHOLE}"),
        ({"hidden_size": [1]}, f"'hidden_size' is a list, {WHOLE}"),
        ({"hidden_size": {}}, f"'hidden_size' is an object, {WHOLE}"),
        ({"hidden_size": 0}, f"'hidden_size' is 0, {WHOLE}"),
        ({"hidden_size": -8192}, f"'hidden_size' is -8192, {WHOLE}"),
        ({"hidden_size": 81.92}, f"'hidden_size' is 81.92, {WHOLE}"),
        ({"hidden_size": math.nan}, f"'hidden_size' is NaN, {WHOLE}"),
        ({"hidden_size": math.inf}, f"'hidden_size' is Infinity, {WHOLE}"),
        ({"hidden_size": 10**10}, f"'hidden_size' is 10000000000, {WHOLE}"),
        ({"hidden_size": 10**4000}, f"'hidden_size' is 1{'0' * 39}, {WHOLE}"),
        ({"hidden_size": "x" * 99}, f"'hidden_size' is '{'x' * 40}...', {WHOLE}"),
        ({"tie_word_embeddings": "no"}, "'tie_word_embeddings' is 'no', where true or false belongs"),
        ({"vocab_size": ..., "num_hidden_layers": 2.5, "tie_word_embeddings": 1},
         f"lacks 'vocab_size'; 'num_hidden_layers' is 2.5, {WHOLE}; "
         "'tie_word_embeddings' is 1, where true or false belongs"),
        ({"num_key_value_heads": 65}, "states more kv_heads (65) than heads (64)"),
        ({"num_attention_heads": 65, "num_key_value_heads": 5}, "divides a width of 8192 among 65 heads"),
        ({"hidden_size": 10**9, "num_hidden_layers": 10**9},
         "describes a model of 2.3e+27 parameters, where at most 1e+16 are taken"),
    ],
)  # fmt: skip
def test_faults_of_values(tmp_path, changes, words):
    assert fault(tmp_path, "llama-2-70b", changes) == words


def test_a_file_may_describe_as_many_parameters_as_an_option_may_say(tmp_path):
    Run(params=MOST_PARAMETERS)
    with pytest.raises(QuestionError, match="--params"):
        Run(params=MOST_PARAMETERS * 1.01)
    # Layers of llama-2-70b's width have 8.6e8 parameters each: 1.1e7 of them are below 1e16, 1.2e7 above.
    assert changed(tmp_path, "llama-2-70b", num_hidden_layers=11 * 10**6)["layers"] == 11e6
    assert fault(tmp_path, "llama-2-70b", {"num_hidden_layers": 12 * 10**6}).startswith(
        "describes a model of 1e+16"
    )


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("gpt2-124m", {"n_layer": ..., "n_embd": ...}, "lacks 'n_embd' and 'n_layer'"),
        ("mpt-7b", {"n_heads": ..., "attn_config": {"alibi": "no"}}, "lacks 'n_heads'; 'attn_config.alibi' is 'no', "
         "where true or false belongs"),
        ("dbrx", {"ffn_config": {"moe_num_experts": 16}},
         "lacks 'ffn_config.ffn_hidden_size' and 'ffn_config.moe_top_k'"),
        ("mixtral-8x7b", {"num_experts_per_tok": 9}, "states more experts_per_token (9) than experts (8)"),
        ("qwen3-30b-a3b", {"mlp_only_layers": [0, "1"]},
         "'mlp_only_layers' is a list, where a list of whole numbers belongs"),
        ("t5-11b", {"feed_forward_proj": 5}, "'feed_forward_proj' is 5, where text belongs"),
        ("deepseek-v3", {"first_k_dense_replace": -1},
         "'first_k_dense_replace' is -1, where a whole number from 0 to 1e9 belongs"),
    ],
)  # fmt: skip
def test_faults_of_families(tmp_path, name, changes, words):
    assert fault(tmp_path, name, changes) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"a" 1}', "is not JSON: Expecting ':' delimiter: line 1 column 6 (char 5)"),
        ("[" * 200_000, "is not JSON: it is nested too deeply, or a number in it has too many digits"),
        ('{"a":' * 200_000, "is not JSON: it is nested too deeply, or a number in it has too many digits"),
        ("9" * 5000, "is not JSON: it is nested too deeply, or a number in it has too many digits"),
        ("[1]", "holds a list, where a config.json holds an object"),
        ("3", "holds 3, where a config.json holds an object"),
        ("null", "holds null, where a config.json holds an object"),
        ('"text"', "holds 'text', where a config.json holds an object"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, content, words):
    path = written(tmp_path, content)
    assert refusal(path) == f"--config: '{path}' {words}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "has no model_type. Known are "),
        ({"model_type": 5, "architectures": [None]}, "has no model_type. Known are "),
        ({"model_type": "lama"}, "has the unknown model_type 'lama'; did you mean 'llama' or 'llama4'? Known are "),
        ({"model_type": "wav2vec2"}, "has the unknown model_type 'wav2vec2'. Known are "),
        ({"architectures": ["ResNetModel"]}, "has the unknown model_type 'ResNetModel'. Known are "),
        ({"model_type": "zzz" * 10**6}, f"has the unknown model_type '{'zzz' * 13}z...'. Known are "),
    ],
)  # fmt: skip
def test_unknown_families(tmp_path, content, words):
    path = written(tmp_path, content)
    known = "aquila, baichuan, bert, bloom, chatglm, codegen, cohere, cohere2, dbrx, deepseek, deepseek_v2, "
    assert refusal(path).startswith(f"--config: '{path}' {words}{known}")


def test_files_that_cannot_be_read(tmp_path):
    giant, pipe = tmp_path / "giant.json", tmp_path / "pipe"
    with giant.open("wb") as stream:
        stream.truncate(200 << 20)
    os.mkfifo(pipe)
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    begun = time.monotonic()
    for path, problem in [
        (giant, "is larger than 4 MiB"),
        (pipe, "is not a regular file"),
        (tmp_path, "is not a regular file"),
        (Path("/dev/zero"), "is not a regular file"),
        (tmp_path / "none.json", "does not exist"),
        (binary, "is not UTF-8 text"),
    ]:
        assert refusal(path) == f"--config: '{path}' {problem}; name the config.json of a model"
    assert time.monotonic() - begun < 2.0


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + (CONFIGS / "gpt2-124m.json").read_bytes())
    assert read_config(path) == read_config(CONFIGS / "gpt2-124m.json")


@pytest.mark.parametrize("name", ["qwen3-30b-a3b", "llama-2-70b", "deepseek-v3"])
def test_absurd_sizes_take_no_time(tmp_path, name):
    begun = time.monotonic()
    changes = {"num_hidden_layers": 10**9, "mlp_only_layers": list(range(10**5))}
    assert fault(tmp_path, name, changes).startswith("describes a model of ")
    assert time.monotonic() - begun < 2.0


KEYS = sorted({key for name in FILES for key in json.loads((CONFIGS / f"{name}.json").read_text())})
TYPES = sorted({json.loads((CONFIGS / f"{name}.json").read_text()).get("model_type") for name in FILES})
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2000), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from(TYPES),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)


def reads_or_refuses(folder: Path, content: object) -> None:
    path = written(folder, content)
    words = refusal(path)
    assert not words or (words.startswith(f"--config: '{path}' ") and "\n" not in words)


@settings(deadline=None, max_examples=150)
@given(content=st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES))
def test_any_object_is_read_or_refused(tmp_path_factory, content):
    reads_or_refuses(tmp_path_factory.getbasetemp(), content)


@settings(deadline=None, max_examples=300)
@given(name=st.sampled_from(FILES), changes=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_any_change_to_a_real_file_is_read_or_refused(tmp_path_factory, name, changes):
    raw = json.loads((CONFIGS / f"{name}.json").read_text())
    reads_or_refuses(tmp_path_factory.getbasetemp(), raw | changes)
