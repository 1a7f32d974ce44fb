"""Numbers that users give, in all models that read them: truth values are none, though Python counts with them."""

from typing import Annotated

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from pochoir.animation.rig import Limb, Rig
from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError
from pochoir.recipe import Form, Recipe
from pochoir.sequence.settings import Correction, VideoSettings
from pochoir.studio.models import JobOrder, Look

MODELS: tuple[type[BaseModel], ...] = (Recipe, Form, ClipSettings, VideoSettings, Correction, Rig, Limb, Look, JobOrder)
FIELDS = [
    (model, name, field)
    for model in MODELS
    for name, field in model.model_fields.items()
    if "bool" not in str(field.annotation)
]


@pytest.mark.parametrize(("model", "name", "field"), FIELDS, ids=[f"{m.__name__}.{name}" for m, name, _ in FIELDS])
def test_a_truth_value_is_no_number(model: type[BaseModel], name: str, field: object) -> None:
    reader = TypeAdapter(Annotated[model.model_fields[name].annotation, field])
    with pytest.raises((ValidationError, InputError)):
        reader.validate_python(True)
