"""Data frames in chunks, and held out: columns are found by name, and others refused."""

import numpy as np
import pytest

import ggn
from ggn.validation import arranged

pd = pytest.importorskip("pandas")

NET = ggn.MLP((2, 3, 1))


def table(rows=60):
    D = pd.DataFrame(np.random.default_rng(0).normal(size=(rows, 2)), columns=["a", "b"])
    return D, D["a"] - 2.0 * D["b"] ** 2


D, Y = table()
TURNED, OTHER = D[["b", "a"]], D.rename(columns={"b": "c"})


def of(*frames):
    """Return chunks, the rows of the table divided among these frames."""
    rows = np.array_split(np.arange(len(D)), len(frames))
    return ggn.Chunks([(A.iloc[i], Y.iloc[i]) for A, i in zip(frames, rows, strict=True)])


def test_chunks_with_columns_in_another_order_are_the_same_samples():
    whole, mixed = (ggn.train(NET, of(D, A, A), max_iter=3) for A in (D, TURNED))
    np.testing.assert_array_equal(whole.w, mixed.w)
    first = ggn.train(NET, of(TURNED, D), max_iter=3)  # in the order of the first chunk
    np.testing.assert_array_equal(first.w, ggn.train(NET, of(TURNED, TURNED), max_iter=3).w)
    plain = ggn.Chunks([(D[:30].to_numpy(), Y[:30]), (D[30:].to_numpy(), Y[30:])])
    np.testing.assert_allclose(ggn.train(NET, plain, max_iter=3).w, whole.w, rtol=1e-6)


def test_targets_and_drawn_parts_too():
    net, both = ggn.MLP((2, 3, 2)), pd.DataFrame({"y": Y, "z": D["a"] ** 2})
    turned = both[["z", "y"]]
    fits = [
        ggn.train(net, ggn.Chunks([(D[:30], both[:30]), (D[30:], one[30:])]), max_iter=3).w
        for one in (both, turned)
    ]
    np.testing.assert_array_equal(*fits)
    parts = [of(D, A).split(validation=0.2, test=0.0)[:2] for A in (D, TURNED)]
    fits = [ggn.train(NET, train, validation=held, max_iter=3) for train, held in parts]
    np.testing.assert_array_equal(fits[0].w, fits[1].w)
    np.testing.assert_array_equal(fits[0].validation_losses, fits[1].validation_losses)


def test_other_names_are_refused_with_the_number_of_the_chunk():
    for wrong in (OTHER, D[["a", "a"]]):
        with pytest.raises(ggn.linearization.part.ChunkError, match="in chunk 2, X must have") as e:
            ggn.train(NET, of(D, TURNED, wrong), max_iter=3)
        assert "the columns a, b, as the first chunk has, got a, " in str(e.value)


@pytest.mark.parametrize("fitted", [(D, Y), (of(D, TURNED), None)], ids=["memory", "chunks"])
def test_samples_held_out_are_taken_by_the_names_of_the_fit(fitted):
    losses = []
    for A in (D, TURNED):
        for held in ((A, Y), of(A, A), of(A, A).split(validation=0.0, test=0.0)[0]):
            fit = ggn.train(NET, *fitted, validation=held, test=held, max_iter=2)
            np.testing.assert_array_equal(fit.validation_losses, fit.test_losses)
            losses.append(fit.validation_losses)
    for one in losses[1:]:
        np.testing.assert_allclose(one, losses[0], rtol=1e-12)
    for held in ((OTHER, Y), of(OTHER)):
        with pytest.raises(ValueError, match="columns a, b, as the data of the fit have, got a, c"):
            ggn.train(NET, *fitted, validation=held, max_iter=3)


def test_a_fit_to_a_frame_knows_its_columns(tmp_path):
    fit = ggn.train(NET, D, Y, max_iter=20)
    assert fit.as_model().input_names == ("a", "b")
    fit.save(tmp_path / "fit.npz")
    for model in (fit, ggn.Model.load(tmp_path / "fit.npz")):
        np.testing.assert_array_equal(model.predict(TURNED), fit.predict(D.to_numpy()))
    found = [ggn.diagnose(fit, A, Y) for A in (D, TURNED)] + [ggn.diagnose(fit, of(TURNED, D))]
    np.testing.assert_allclose([d.loss for d in found], fit.fun, rtol=1e-12)
    assert ggn.train(NET, D.to_numpy(), Y, max_iter=2).as_model().input_names == ("x1", "x2")
    numbered = ggn.train(NET, pd.DataFrame(D.to_numpy()), Y, max_iter=2)
    assert numbered.as_model().input_names == ("x1", "x2")


def test_numbers_that_pandas_gives_are_no_names_beside_names():
    numbered = pd.DataFrame(D.to_numpy())
    assert arranged("X", numbered, ["a", "b"], "the first has") is numbered
    assert arranged("X", D, [0, 1], "the first has") is D
    assert list(arranged("X", numbered[[1, 0]], [0, 1], "the first has")) == [0, 1]
    assert arranged("X", D.to_numpy(), ["b", "a"], "the first has")[0, 0] == D["a"][0]


def test_columns_of_parquet_keep_their_names(tmp_path):
    """They were given by name; a frame of other columns was read by place."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "d.parquet"
    D.assign(y=Y).to_parquet(path)
    found = ggn.train(NET, ggn.Chunks.of_parquet(path, ["b", "a"], ["y"]), max_iter=20)
    plain = ggn.train(NET, TURNED, Y.to_frame("y"), max_iter=20)
    model = found.as_model()
    assert (tuple(model.input_names), tuple(model.target_names)) == (("b", "a"), ("y",))
    np.testing.assert_allclose(found.predict(D), plain.predict(D), rtol=1e-6)
    np.testing.assert_allclose(found.predict(D.assign(more=1.0)), found.predict(TURNED))
    own = ggn.train(NET, D, Y.to_frame("y"), max_iter=20)
    turned = ggn.Chunks.of_parquet(path, ["b", "a"], ["y"])
    assert ggn.diagnose(own, turned).loss == pytest.approx(own.fun, rel=1e-9)
    on = ggn.train(NET, turned, w0=own, max_iter=0)
    assert on.fun == pytest.approx(own.fun, rel=1e-9)
    with pytest.raises(ValueError, match="must have the columns"):
        ggn.diagnose(own, ggn.Chunks.of_parquet(path, ["y", "a"], ["b"]))
    drawn, *_ = turned.split(validation=0.2, test=0.0)
    assert list(ggn.train(NET, drawn, max_iter=2).input_names) == ["b", "a"]
