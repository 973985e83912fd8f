"""Decode a folder, or take it from the cache, and tell the listener about its images."""

from __future__ import annotations

from imbsynth.configs import Size
from imbsynth.engine.events import Advanced, Note, OnEvent, Started
from imbsynth.runtime import worker_count
from imbsynth.store.folders import ImageFolder
from imbsynth.store.images import ImageForm, Images, read_images
from imbsynth.store.kept_images import CacheRequest, file_digests, is_kept_whole, read_kept
from imbsynth.store.names import listing, number_of


def decoded(
    folder: ImageFolder, form: ImageForm, expected: Size | None, on_event: OnEvent
) -> Images:
    """The images of a folder, and notes about what is not as it is stored.

    expected: the (height, width) in pixels that headers tell, if they do. UserError as for
    `read_images`.
    """
    images = _images(folder, form, expected, on_event)
    _tell_of_changes(images, on_event)
    return images


def _images(
    folder: ImageFolder, form: ImageForm, expected: Size | None, on_event: OnEvent
) -> Images:
    """Decoded now, or by an earlier command with the same cache."""
    root, paths, cores = folder.root, folder.paths(), worker_count()
    digests = None

    def on_progress(done: int) -> None:
        on_event(Advanced(done))

    if is_kept_whole(len(paths), expected, form.channels):
        on_event(Started("looking into the cache", len(paths)))
        digests = file_digests(root, paths, cores=cores, on_progress=on_progress)
    on_event(Started("reading images", len(paths)))
    if digests is None:
        return read_images(root, paths, form, cores=cores, on_progress=on_progress)
    wanted = CacheRequest(root, paths, form, digests)
    images, damaged = read_kept(wanted, cores=cores, on_progress=on_progress)
    if damaged is not None:
        on_event(Note(f"{damaged} was damaged: the images have been decoded again"))
    return images


def _tell_of_changes(images: Images, on_event: OnEvent) -> None:
    """Say which images were left out, and which are not as they are stored."""
    tell_of_skipped(images.skipped, on_event)
    if images.resized:
        height, width = images.pixels.shape[2:]
        on_event(Note(f"{images.resized} images were resized to {height}x{width}"))
    if images.composited:
        on_event(Note(f"{number_of(images.composited, 'image')} with transparency, put on black"))
    if images.made_rgb:
        on_event(Note(f"{images.made_rgb} gray images were made RGB"))
    if images.made_gray:
        on_event(Note(f"{images.made_gray} colour images were made gray"))


def tell_of_skipped(paths: list[str], on_event: OnEvent) -> None:
    """Say which files were left out."""
    if paths:
        on_event(Note(f"left out {len(paths)} unreadable: {listing(paths)}"))
