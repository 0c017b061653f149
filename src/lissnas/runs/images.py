"""Which images a job is asked to train on, and whether networks can take them."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lissnas.errors import UserError, require
from lissnas.formats.hints import nearest
from lissnas.oneshot.data import DATA, Images
from lissnas.oneshot.recipe import Recipe
from lissnas.runs.settings import in_our_words
from lissnas.spaces import SearchSpace

__all__ = ["DataConfig", "require_devices", "require_images"]


class DataConfig(BaseModel):
    """Images by name, and the settings that these take: ``{name: cifar10, folder: ..., train: 4000}``."""

    model_config = ConfigDict(extra="allow")

    name: str = "digits"

    def load(self, seed: int) -> Images:
        """The images, split by ``seed``.

        Raises:
            UserError: unknown images, a setting that these do not take, or one that they need; files that are missing; too few
                images.
        """
        if self.name not in DATA:
            raise UserError(f"there are no images '{self.name}': {nearest(self.name, DATA.names())}")
        source = DATA.get(self.name)
        takes = inspect.signature(source, eval_str=True).parameters
        given: dict[str, Any] = {}
        for name, value in (self.model_extra or {}).items():
            if name not in takes or name == "seed":
                known = ", ".join(n for n in takes if n != "seed")
                raise UserError(f"the data '{self.name}' has no setting '{name}': it has {known}")
            try:
                given[name] = TypeAdapter(takes[name].annotation).validate_python(value)
            except ValidationError as error:
                rule = in_our_words(error.errors()[0]["msg"])
                raise UserError(f"the setting '{name}' of the data '{self.name}' is wrong: {rule}, but got {value!r}") from None
        for name, parameter in takes.items():
            if parameter.default is parameter.empty and name not in given:
                raise UserError(f"the data '{self.name}' needs the setting '{name}': data: {{name: {self.name}, {name}: ...}}")
        images: Images = source(**given, seed=seed)
        return images


def require_devices(device: str, devices: int, recipes: Collection[Recipe] = (), supernet: Recipe | None = None) -> None:
    """Refuse GPUs that this machine does not have, and recipes that its devices or a supernet cannot follow.

    Raises:
        UserError: the number of GPUs, a precision that the device cannot compute in, a batch that so many cannot share, or a
            supernet that is to be compiled.
    """
    torch = require("torch", "oneshot")
    if device not in ("cpu", "cuda"):
        raise UserError(f"a device is cpu or cuda, but got '{device}'")
    from lissnas.oneshot.devices import require_parts, require_precision, require_uncompiled

    there = torch.cuda.device_count()
    if device == "cuda" and there < devices:
        asked = "a GPU" if devices == 1 else f"{devices} GPUs"
        remedy = "the device cpu" if devices == 1 else "the device cpu, or fewer devices"
        raise UserError(f"this asks for {asked}, but torch finds {there} on this machine: take {remedy}")
    if supernet is not None:
        require_uncompiled(supernet)
    for recipe in recipes if supernet is None else (supernet, *recipes):
        require_precision(recipe.precision, torch.device(device))
        require_parts(recipe, devices)


def require_images(space: SearchSpace, data: Images, recipes: dict[str, Recipe]) -> None:
    """Refuse images that the networks of ``space`` do not take, and recipes whose batches they do not fill.

    Args:
        recipes: by the name of the settings they come from.

    Raises:
        UserError: the space has no networks or no supernet, or these images do not fit.
    """
    require("torch", "oneshot")
    from lissnas.oneshot.batches import require_batch, require_images_fit
    from lissnas.oneshot.supernet import require_supernet

    require_supernet(space)
    require_images_fit(space, data)
    for name, recipe in recipes.items():
        try:
            require_batch(data, recipe.batch_size)
        except UserError as error:
            raise UserError(f"the settings of '{name}' are wrong: {error}") from None
