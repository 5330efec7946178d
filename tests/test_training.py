"""From annotated articles to a release, on a tiny network and the seeds."""

import json
import math
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, BertConfig, BertTokenizerFast
from typer.testing import CliRunner

from models.training import train as training
from models.training.__main__ import app
from models.training.ablations import ablate
from models.training.batches import collate
from models.training.card import write_card
from models.training.encode import encode, examples
from models.training.losses import class_loss, span_loss
from models.training.release import save
from service.contracts import Article
from service.gold import read
from service.pipeline import label_article
from service.release import check, load
from service.settings import ModelSettings

ROOT = Path(__file__).parent.parent
RECIPE: dict[str, Any] = {
    "seed": 1,
    "name": "tiny",
    "max_tokens": 64,
    "context_tokens": 0,
    "serving_context_tokens": 16,
    "batch_windows": 4,
    "learning_rate": 1e-3,
    "head_learning_rate": 1e-3,
    "layer_decay": 0.9,
    "weight_decay": 0.01,
    "warmup": 0.1,
    "unsure_weight": 0.6,
    "smoothing": 0.05,
    "span_weight": 0.3,
    "checkpoint_steps": 3,
    "stages": [{"epochs": 1, "scale": 1.0, "corpora": {"labelled_articles": 1.0}}],
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model with two small layers, whose vocabulary is the words of the seeds."""
    folder = tmp_path_factory.mktemp("base")
    texts = [json.loads(f.read_text())["text"].lower() for f in ROOT.glob("seeds/gold/*.json")]
    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text)})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", "[unused2]", "[unused3]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *words]))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=8 + len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=128,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seeds as a training set, two as a dev set."""
    folder = tmp_path_factory.mktemp("data")
    records = [json.loads(f.read_text()) for f in sorted(ROOT.glob("seeds/gold/*.json"))[:6]]
    for number, record in enumerate(records):
        record["split"] = "dev" if number >= 4 else "train"
    lines = "\n".join(map(json.dumps, records))
    (folder / "labelled_articles.jsonl").write_text(lines)
    return folder


def test_an_interrupted_training_ends_where_the_other_does(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between checkpoints and started again, it gives the very same weights."""
    straight = torch.load(training.train(RECIPE, data, base, tmp_path / "a"), weights_only=True)
    update, calls = training.update, 0

    def interrupted(*args: Any) -> float:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return update(*args)

    monkeypatch.setattr(training, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(RECIPE, data, base, tmp_path / "b")
    resumed = torch.load(training.train(RECIPE, data, base, tmp_path / "b"), weights_only=True)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_ones_own_articles_make_a_release(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands that models/README.md gives lead from annotated articles to a model in use."""
    monkeypatch.chdir(tmp_path)
    recipe = "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in RECIPE.items() if name != "stages"
    )
    Path("own.toml").write_text(
        f"{recipe}base = 'none'\n[[stages]]\nepochs = 1\nscale = 1.0\n"
        "[stages.corpora]\nlabelled_articles = 1.0\n"
    )
    shared = ["--data", str(data), "--recipe", "own.toml", "--base", str(base)]
    trained = CliRunner().invoke(app, ["train", "--run", "runs/own", *shared])
    assert trained.exit_code == 0, trained.output
    weights = ["--weights", "runs/own/stage1-epoch1.pt"]
    made = CliRunner().invoke(app, ["release", *weights, "--out", "own", *shared])
    assert made.exit_code == 0, made.output

    figures = json.loads(Path("own/metrics.json").read_text())
    assert figures["recipe"]["data_sha256"].keys() == {"labelled_articles"}
    assert 0 <= figures["own_segmentation"]["macro_f1"] <= 1
    assert f"{figures['macro_f1']:.3f}" in Path("own/SCORES.md").read_text()
    assert Path("own/calibration.svg").stat().st_size > 1000
    assert check(Path("own")).name == "claimstream-tiny"
    labeller = load(ModelSettings(path=Path("own"), uncertain_below=1.0))
    body = "The mayor said it rained. " * 200 + "Word " * 3000
    labelled = label_article(Article(id="a", body=body), labeller)
    assert len(labelled.sentences) + len(labelled.furniture) == 201
    assert all(sentence.uncertain for sentence in labelled.sentences)


def test_variants_of_a_recipe_are_trained_and_scored_once(
    base: Path, data: Path, tmp_path: Path
) -> None:
    """Each variant has its own figures; a second run reads them and trains nothing."""
    stage = {"epochs": 1, "shares": {"labelled_articles": 0.5}}
    recipe = RECIPE | {"variants": {"plain": {}, "half": {"layers": 1, "stage": stage}}}
    first = list(ablate(recipe, data, base, tmp_path, 1))
    assert [result["variant"] for result in first] == ["plain", "half"]
    assert all(0 <= result["sure"] <= 1 for result in first)
    config = json.loads((tmp_path / "half/release/config.json").read_text())
    assert config["num_hidden_layers"] == 1
    shutil.rmtree(tmp_path / "plain")
    assert list(ablate(recipe, data, base, tmp_path, 1)) == first
    assert not (tmp_path / "plain").exists()


def test_the_page_of_scores_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    """The released figures make the released page and plots again, byte for byte."""
    for folder in sorted(ROOT.glob("models/*/SCORES.md")):
        figures = json.loads((folder.parent / "metrics.json").read_text())
        write_card(tmp_path, figures)
        assert (tmp_path / "SCORES.md").read_text() == folder.read_text()


def test_batches_carry_the_gold_spans(base: Path, data: Path) -> None:
    """Each sentence of a batch points to its own tokens, its class and its spans."""
    tokenizer = BertTokenizerFast.from_pretrained(base)
    layout = training.layout_for(tokenizer, RECIPE)
    articles = list(read(data / "labelled_articles.jsonl"))
    rows = examples(encode(articles, tokenizer, unsure_weight=0.6), layout, random.Random(1))
    batch = collate(rows[:8])
    flat, owner = batch.ids.flatten(), batch.owner.flatten()
    assert (batch.span_ends[:, 0] > 0).any()
    for number, marker in enumerate(batch.markers.tolist()):
        assert flat[marker] in (
            layout.article_marker,
            layout.paragraph_marker,
            layout.sentence_marker,
        )
        assert owner[marker] == number
        assert batch.allowed[number].sum() == 1
        ends = batch.span_ends[number].tolist()
        assert all(end == -1 or owner[end] == number for end in ends)
        assert ends[0] <= ends[1]
        assert ends[2] <= ends[3]


def test_class_loss_leaves_open_what_the_annotation_does() -> None:
    """Probability may go to any admitted class; what is unknown or weighs nothing costs nothing."""
    logits = torch.tensor([[0.0, 0.0, -50.0, -50.0], [0.0, 0.0, 9.0, 0.0], [9.0, 0.0, 0.0, 0.0]])
    allowed = torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0] * 4, [0.0, 1.0, 0.0, 0.0]])
    nobody = torch.zeros(3, 4)
    assert class_loss(logits, allowed, nobody, torch.tensor([1.0, 1.0, 0.0]), 0.0) == pytest.approx(
        0, abs=1e-6
    )
    assert class_loss(logits, allowed, nobody, torch.tensor([1.0, 1.0, 1.0]), 0.0) > 4


def test_class_loss_follows_a_teacher() -> None:
    """Where a teacher spoke, agreeing with its probabilities costs least, its entropy."""
    teacher = torch.tensor([[0.7, 0.1, 0.1, 0.1]])
    unknown, weight = torch.ones(1, 4), torch.ones(1)
    least = class_loss(teacher.log(), unknown, teacher, weight, 0.05)
    assert least == pytest.approx(-float((teacher * teacher.log()).sum()))
    assert class_loss(torch.zeros(1, 4), unknown, teacher, weight, 0.05) > least


def test_span_loss_is_cross_entropy_over_the_sentence(base: Path, data: Path) -> None:
    """With equal scores each end costs the logarithm of its sentence's length in tokens."""
    tokenizer = BertTokenizerFast.from_pretrained(base)
    layout = training.layout_for(tokenizer, RECIPE)
    articles = list(read(data / "labelled_articles.jsonl"))
    batch = collate(examples(encode(articles, tokenizer, unsure_weight=1.0), layout)[:4])
    scores = torch.zeros(*batch.ids.shape, 4)
    owner = batch.owner.flatten()
    costs = [
        math.log(int((owner == number).sum()))
        for number, ends in enumerate(batch.span_ends.tolist())
        for end in ends
        if end >= 0
    ]
    assert span_loss(scores, batch).item() == pytest.approx(sum(costs) / len(costs), rel=1e-5)


def test_weights_are_kept_in_files_small_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights go into several files of limited size and come back whole; older files go."""
    monkeypatch.setattr("models.training.release.SHARD_BYTES", 1000)
    (tmp_path / "model.safetensors").touch()
    state = {f"layer{n}": torch.arange(n, n + 100, dtype=torch.float32) for n in range(5)}
    names = save(state, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert len(names) == 3
    loaded = {key: value for name in names for key, value in load_file(tmp_path / name).items()}
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
