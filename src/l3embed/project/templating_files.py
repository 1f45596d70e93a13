"""The texts of a project's files, from the package's templates."""

from __future__ import annotations

from importlib.resources import files as resources

from l3embed.project.stage_code import STAGE_SOURCES

FOLDER = resources("l3embed.project").joinpath("templates")

CODE_STAGE = """\
  # Each stage below depends on its line of code.yaml: another l3embed runs those again whose code it changes.
  code:
    cmd: python -m l3embed.project.code_file
    desc: Note which code the installed l3embed has for each stage
    always_changed: true
    outs:
      - code.yaml:
          cache: false
          persist: true

"""


def render(template: str, **values: object) -> str:
    """Return a file's text.

    Parameters
    ----------
    template : str
        Its name.
    **values
        That it names.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(  # noqa: S701 - neither YAML nor Markdown, and all values are the user's own
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    text = FOLDER.joinpath(template).read_text(encoding="utf-8")
    return environment.from_string(text).render(values)


def dvc_yaml(*, in_clone: bool) -> str:
    """Return the text of ``dvc.yaml``: of a clone of l3embed, or of a project of one's own."""
    return render(
        "dvc.yaml",
        first_stage="" if in_clone else CODE_STAGE,
        sources=_file_dependencies if in_clone else lambda stage: "",
        in_clone=in_clone,
    )


def config_yaml(*, in_clone: bool) -> str:
    """Return the text of ``conf/config.yaml``: of a clone of l3embed, or of a project of one's own."""
    return render("config.yaml", in_clone=in_clone)


def _file_dependencies(stage: str) -> str:
    names = ("src/l3embed" + (f"/{name}" if name else "") for name in STAGE_SOURCES[stage])
    return "".join(f"      - {name}\n" for name in names)
