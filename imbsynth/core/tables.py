"""Everything that is chosen by name, without importing it: the one list of the methods.

A method is one function and one entry here. The command line's choices, its help, docs/commands.md
and the error messages are made from the entries; only `Entry.load` imports the function. A name
such as "none" that runs no function stands with the option.
"""

from __future__ import annotations

from imbsynth.core.entries import Entry, GeneratorEntry, Table, choices, table

__all__ = ["Entry", "Table", "choices", "table"]  # of what only passes through here

SAMPLERS = table(
    Entry(
        "smote",
        "imbsynth.core.samplers:smote",
        "between nearest neighbors of a class",
        "Chawla et al., 2002",
        ("k_neighbors", "lambda_range"),
    ),
    Entry(
        "transfer",
        "imbsynth.core.transfer:transfer",
        "an image, changed as two images of a larger class differ",
        options=("strength", "donors", "donor_pairs"),
        all_classes=True,
    ),
    Entry(
        "amdo",
        "imbsynth.core.amdo:amdo",
        "at the Mahalanobis distance that an image of the class has from its mean",
        "Yang et al., 2018",
        ("k_neighbors", "own_share"),
        all_classes=True,
        offsets=True,
    ),
    Entry(
        "ccr",
        "imbsynth.core.ccr:Ccr",
        "in spheres around images of the class that hold few images of larger classes",
        "Koziarski et al., 2020",
        ("energy", "energy_unit", "clean"),
        all_classes=True,
        joint=True,
        offsets=True,
    ),
    Entry(
        "rbo",
        "imbsynth.core.rbo:Rbo",
        "random walks from images of the class to where classes balance each other",
        "Krawczyk et al., 2019",
        ("gamma", "walk_step", "walk_stop"),
        all_classes=True,
        joint=True,
        offsets=True,
    ),
    Entry("ros", "imbsynth.core.samplers:ros", "random copies", copies=True),
)

FEATURE_SAMPLERS = table(
    Entry(
        "smote",
        "imbsynth.core.feature_views:smote",
        "between nearest neighbors of a class",
        "Chawla et al., 2002",
        ("k_neighbors", "lambda_range"),
    ),
    Entry(
        "calibrated",
        "imbsynth.core.distribution_calibration:calibrated",
        "around an image, as the nearest larger classes vary",
        "Yang et al., 2021",
        ("donor_pull",),
    ),
    Entry(
        "flow",
        "imbsynth.core.flow_matching:flow",
        "from a small network that brings noise to features of a class",
        "Liu et al., 2023",
    ),
    Entry(
        "ros",
        "imbsynth.core.feature_views:ros",
        "random copies: real features alone, to compare with",
        copies=True,
    ),
)

GENERATORS = table(
    GeneratorEntry(
        "bagan",
        "imbsynth.models.bagan:Bagan",
        "an autoencoder's encoder and decoder become discriminator and generator",
        "Mariani et al., 2018",
    ),
    GeneratorEntry(
        "gamo",
        "imbsynth.models.gamo:Gamo",
        "weighs the images of a class, against a discriminator and a classifier",
        "Mullick et al., 2019",
    ),
    GeneratorEntry(
        "flow",
        "imbsynth.engine.inference.flow:Flow",
        "moves noise step by step to an image: new images, at the highest cost",
        "Liu et al., 2023",
        ("network", "flip", "min_novelty"),
        task="imbsynth.engine.training.flow:FlowTask",
        sampling=("guidance", "sampling_steps"),
    ),
)

AUTOENCODER_LOSSES = table(
    Entry(
        "mse",
        "imbsynth.core.autoencoder_losses:mse",
        "mean squared error, as in the paper",
        "Dablain et al., 2022",
    ),
    Entry(
        "censored-mse",
        "imbsynth.core.autoencoder_losses:censored_mse",
        "the same, with black and white as limits that may be passed: plain backgrounds",
        "Tobin, 1958",
        censored=True,
    ),
    Entry(
        "censored-l1",
        "imbsynth.core.autoencoder_losses:censored_l1",
        "mean absolute error with such limits: plainer and sharper",
        "Tobin, 1958",
        censored=True,
    ),
)

LOSSES = table(
    Entry("cross-entropy", "imbsynth.core.losses:cross_entropy", "every image has the same weight"),
    Entry(
        "class-balanced",
        "imbsynth.core.losses:class_balanced",
        "images of rare classes weigh more, by the effective number of images",
        "Cui et al., 2019",
        ("beta", "defer"),
        balances=True,
    ),
    Entry(
        "balanced-softmax",
        "imbsynth.core.losses:balanced_softmax",
        "logits are raised by log(class size) in training; for images that are not oversampled",
        "Ren et al., 2020",
        ("defer",),
        balances=True,
    ),
    Entry(
        "ldam",
        "imbsynth.core.losses:ldam",
        "rare classes must win by a larger margin; with a cosine head",
        "Cao et al., 2019",
        ("beta", "defer"),
        head="cosine",
        balances=True,
    ),
    Entry(
        "focal",
        "imbsynth.core.losses:focal",
        "images that are classified well have less weight",
        "Lin et al., 2017",
    ),
)

ATTACKS = table(
    Entry(
        "fgsm",
        "imbsynth.core.attacks:fgsm",
        "one step along the sign of the gradient",
        "Goodfellow et al., 2015",
        ("epsilon",),
    ),
    Entry(
        "pgd",
        "imbsynth.core.attacks:pgd",
        "several such steps from a random start",
        "Madry et al., 2018",
        ("epsilon", "attack_steps", "attack_step_size"),
    ),
    Entry(
        "l2",
        "imbsynth.core.attacks:l2",
        "one step along the gradient itself, by epsilon in root mean square over the pixels",
        "Miyato et al., 2017",
        ("epsilon",),
    ),
)

OPTIMISERS = table(
    Entry(
        "adam",
        "imbsynth.core.optimisers:adam",
        "adaptive moments",
        "Kingma and Ba, 2015",
        ("lr", "weight_decay"),
    ),
    Entry(
        "adamw",
        "imbsynth.core.optimisers:adamw",
        "with decoupled weight decay",
        "Loshchilov and Hutter, 2019",
        ("lr", "weight_decay"),
    ),
    Entry(
        "sgd",
        "imbsynth.core.optimisers:sgd",
        "with Nesterov momentum; takes a larger learning rate, e.g. 0.05",
        "Sutskever et al., 2013",
        ("lr", "weight_decay", "momentum"),
    ),
)

SCHEDULES = table(
    Entry(
        "cosine",
        "imbsynth.core.schedules:cosine",
        "falls along half a cosine to 0",
        "Loshchilov and Hutter, 2017",
        reads_progress=True,
    ),
    Entry(
        "step",
        "imbsynth.core.schedules:step",
        "falls to a hundredth after 80 % of the training, and again after 90 %",
        "Cao et al., 2019",
        reads_progress=True,
    ),
    Entry("constant", "imbsynth.core.schedules:constant", "stays as it is"),
)

AUGMENTATIONS = table(
    Entry("affine", "imbsynth.core.augmentation:random_affine", "small rotation, scale and shift"),
    Entry(
        "flip-crop",
        "imbsynth.core.augmentation:random_flip_crop",
        "reflected left to right at random, then padded and cropped",
    ),
    Entry(
        "trivial",
        "imbsynth.core.trivial_augment:random_trivial",
        "flip-crop, then one of 14 strong changes, and a square is cut out; for photographs",
        "Müller and Hutter, 2021",
    ),
)

MIXINGS = table(
    Entry(
        "mixup",
        "imbsynth.core.mixing:random_mixup",
        "each image is blended with another, and so are their labels",
        "Zhang et al., 2018",
        ("mix_alpha",),
    ),
    Entry(
        "cutmix",
        "imbsynth.core.mixing:random_cutmix",
        "a rectangle of another image replaces that of each",
        "Yun et al., 2019",
        ("mix_alpha",),
    ),
    Entry(
        "remix",
        "imbsynth.core.mixing:random_remix",
        "mixup whose labels favour the rarer class",
        "Chou et al., 2020",
        ("mix_alpha",),
    ),
    Entry(
        "cmo",
        "imbsynth.core.mixing:random_cutmix",
        "cutmix with rectangles of all classes equally often",
        "Park et al., 2022",
        ("mix_alpha",),
        partners="classes",
    ),
)
