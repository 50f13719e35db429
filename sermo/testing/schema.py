"""The schema of test databases: what the migrations build, in about a third of their time.

Django makes its picture of the models anew at each step of a migration, with every model that is near the changed
one, and nearly all are near the member. A new model makes no other one anew here, nor does a new field, which the
model takes up as it is, nor an index or a constraint, which no column depends on. All SQL stays the same.
"""

from contextlib import contextmanager

from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

PATCHED = ("add_model", "add_field", "_append_option", "_remove_option")


def add_model(self, model_state):
    key = model_state.app_label, model_state.name_lower
    self.models[key] = model_state
    if self._relations is not None:
        self.resolve_model_relations(key)
    if "apps" in self.__dict__:
        self.apps.render_multiple([model_state])


def add_field(self, app_label, model_name, name, field, preserve_default):
    if not preserve_default:
        field = field.clone()
        field.default = NOT_PROVIDED
    key = app_label, model_name
    self.models[key].fields[name] = field
    if self._relations is not None:
        self.resolve_model_field_relations(key, name, field)
    if "apps" in self.__dict__:
        self.apps.get_model(app_label, model_name).add_to_class(name, field.clone())
        self.apps.clear_cache()


def _append_option(self, app_label, model_name, option_name, obj):
    set_option(self, app_label, model_name, option_name, lambda objs: [*objs, obj])


def _remove_option(self, app_label, model_name, option_name, obj_name):
    set_option(
        self, app_label, model_name, option_name, lambda objs: [one for one in objs if one.name != obj_name]
    )


def set_option(state, app_label, model_name, name, changed):
    """Change a list of indexes or constraints, in the state and in the model made of it."""
    options = state.models[app_label, model_name].options
    options[name] = changed(options[name])
    if "apps" in state.__dict__:
        setattr(state.apps.get_model(app_label, model_name)._meta, name, list(options[name]))


@contextmanager
def quick_migrations():
    ways = {name: getattr(ProjectState, name) for name in PATCHED}
    for name in PATCHED:
        setattr(ProjectState, name, globals()[name])
    try:
        yield
    finally:
        for name, way in ways.items():
            setattr(ProjectState, name, way)
