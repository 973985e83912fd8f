# %% [markdown]
# # Balance a folder of images from a notebook
#
# The main job on the sample data: look at a folder, balance it in an autoencoder's latent space
# (DeepSMOTE), train a classifier that finds the rare classes (AOS), and score it on real images.
# The budgets are tiny, so that the whole notebook takes seconds; give `train_ae` and `aos_train`
# more epochs for images and scores worth looking at.

# %%
import sys
import tempfile
from pathlib import Path

import imbsynth

SAMPLES = Path("sample_data")
OUT = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())

# %% What is in the folder?
found = imbsynth.inspect(src=SAMPLES / "train")
print(f"{found.images} images, largest / smallest class: {found.rho:.1f}")

# %% [markdown]
# ## Synthesise images of the rare classes

# %%
ae = imbsynth.train_ae(
    src=SAMPLES / "train", out=OUT / "ae.safetensors", epochs=1, latent_dim=16, seed=1
)
made = imbsynth.generate(src=SAMPLES / "train", dst=OUT / "balanced", ae=ae.checkpoint, seed=1)
print(f"synthetic images per class: {made.added}; look at {made.samples}")

# %% [markdown]
# ## Train a classifier, and follow its epochs
#
# A config can also be made first: it checks its values, and several runs can share it.

# %%
config = imbsynth.AosTrainConfig(
    src=SAMPLES / "train",
    out=OUT / "clf.safetensors",
    val_fraction=0.2,
    epochs=2,
    images_per_epoch=256,
    epsilon=0.02,
)
trained = imbsynth.aos_train(config, on_event=lambda event: print(type(event).__name__, end=" "))
print(f"\nbest epoch: {trained.best_epoch}")

# %%
scores = imbsynth.evaluate(checkpoint=trained.checkpoint, src=SAMPLES / "test", draws=100)
print(f"ACSA {scores.acsa:.3f}, G-mean {scores.g_mean:.3f}")

# %% [markdown]
# ## What is wrong is said with the name of the argument

# %%
try:
    imbsynth.generate(src=SAMPLES / "train", dst=OUT / "more", k_neighbors=0)
except imbsynth.UserError as error:
    print(error)
