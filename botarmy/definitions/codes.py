"""The stable codes of `botarmy lint`. docs/lint-codes.md is made from this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a code means. `severity` is the default; the hint is used where the place offers no better one."""

    severity: str
    meaning: str
    hint: str


def _error(meaning: str, hint: str) -> Code:
    return Code("error", meaning, hint)


def _warning(meaning: str, hint: str) -> Code:
    return Code("warning", meaning, hint)


CODES: dict[str, Code] = {
    # files
    "not-utf8": _error("The file is not UTF-8 text.", "Save the file as UTF-8."),
    "control-character": _error(
        "The file holds a control character (or is binary).",
        "Remove the character; only tab and line ends are allowed.",
    ),
    "byte-order-mark": _warning("The file begins with a byte order mark.", "Save the file as UTF-8 without BOM."),
    "file-too-large": _error("The file is larger than the limit.", "Split the file."),
    "too-many-files": _error("The directory holds more files than the limit.", "Name the .bmad-core directory itself."),
    "unreadable-file": _error("The file cannot be read.", "Check its permissions."),
    "outside-link": _error("A symbolic link leads out of the directory.", "Copy the file into the directory."),
    "conflict-marker": _error("The mark of an unresolved merge stands in the file.", "Resolve the conflict."),
    "empty-file": _error("The file holds nothing.", "Write its content or remove the file."),
    "unknown-file": _warning("Nothing reads this file.", "Move it into the folder of its kind, or remove it."),
    # YAML
    "yaml-syntax": _error(
        "The YAML does not parse.", "Check indentation, quotes and brackets at and above this place."
    ),
    "yaml-tab": _error("A tab indents a YAML line.", "Indent with spaces."),
    "yaml-quote": _error(
        "A value that holds ': ' or begins with a special character needs quotes.", "Quote the value."
    ),
    "yaml-quote-runs-on": _warning("A quoted text runs over lines that look like keys.", "Add the closing quote."),
    "yaml-documents": _error("The file holds more than one YAML document.", "Keep one document per file."),
    "yaml-tag": _error("A YAML tag is refused: it would make something other than plain data.", "Remove the tag."),
    "yaml-alias": _error("A YAML alias is unknown or refers to itself.", "Name an anchor that stands before it."),
    "yaml-bomb": _error("The YAML expands to more values than the limit.", "Use fewer aliases and values."),
    "yaml-depth": _error("The YAML nests deeper than the limit.", "Flatten the structure."),
    "duplicate-key": _error("A key stands twice in one mapping; YAML would drop the first.", "Remove or rename one."),
    "bad-key": _error("A mapping's key is not a plain word.", "Use text as the key."),
    # shape
    "wrong-type": _error("A value has another type than its key asks for.", "Write the value in the wanted form."),
    "missing-key": _error("A key that must be there is missing.", "Add the key."),
    "empty-value": _error("A value that must hold something is empty.", "Write a value or remove the key."),
    "unknown-key": _warning("No key of this name is known here; it is kept and has no effect.", "Check the spelling."),
    "bad-name": _error("A name is not usable.", "Use letters, digits, '-', '_' and '.', beginning with a letter."),
    "bad-value": _error("A value is outside of what is allowed.", "Use one of the allowed values."),
    "duplicate-name": _error("Two things have the same name.", "Rename one of them."),
    "duplicate-id": _warning("Two sections have the same id.", "Rename one of them."),
    "name-differs": _warning("The name inside the file differs from the file's name.", "Make both equal."),
    # workflows
    "no-phases": _error("The workflow has neither phases nor a sequence.", "Add `phases:` or `sequence:`."),
    "unknown-agent": _error("No agent of this name is defined.", "Add agents/NAME.md or correct the name."),
    "unknown-template": _error("No template of this name exists.", "Add templates/NAME.yaml or correct the name."),
    "unknown-phase": _error("A dependency names no phase of this workflow.", "Name a phase of this workflow."),
    "unknown-output": _error("An expected output is no known artifact kind.", "Name a known kind."),
    "unknown-check": _error("No check of this name exists.", "Name a known check."),
    "unknown-measure": _error("No measure of this name exists.", "Name a known measure."),
    "unknown-checklist": _error("No checklist of this name exists.", "Add checklists/NAME.md or correct the name."),
    "unknown-reference": _warning("A file that is named here does not exist.", "Add the file or correct the name."),
    "dependency-cycle": _error("Phases depend on each other in a circle.", "Remove one of the dependencies."),
    "dependency-order": _error("A phase stands before a phase that it depends on.", "Move it below its dependency."),
    "output-twice": _error("Two phases make the same output.", "Let one phase make it."),
    "output-unmade": _error("A phase needs an output that no phase before it makes.", "Add the phase or dependency."),
    "no-prompt": _error("The template has no prompt for an output.", "Add prompts.OUTPUT to the template."),
    "unreachable-phase": _error("Nothing leads to this phase or step.", "Correct its condition or remove it."),
    "external-input": _warning(
        "No step makes what this step requires; it must come from outside.",
        "If it does come from outside, all is well; otherwise name what an earlier step creates.",
    ),
    # templates
    "template-syntax": _error("The Jinja text does not parse.", "Mend the expression or block at this place."),
    "template-unclosed": _error("A Jinja block, comment or expression is not closed.", "Close it."),
    "undefined-variable": _error("No input or variable of this name is given to this prompt.", "Declare it."),
    "unknown-filter": _error("No filter of this name is allowed.", "Use an allowed filter."),
    "unknown-test": _error("No test of this name is allowed.", "Use an allowed test."),
    "unsafe-template": _error("The template uses something that templates may not do.", "Remove it."),
    "unused-input": _warning("The prompt does not show an input that it gets.", "Begin with {{ all_inputs }}."),
    "unused-variable": _warning("Nothing uses this variable.", "Use or remove it."),
    "bad-default": _error("A variable's default does not have its type.", "Correct the default or the type."),
    "bad-example": _error("An example does not fit the output's schema.", "Correct the example."),
    "unknown-purpose": _error(
        "A prompt's name is nothing that an agent asks for.", "Name a known artifact kind or draft."
    ),
    "missing-block": _error("A block is overridden that the base does not have.", "Name a block of the base."),
    "remove-unknown": _error("Something is to be removed that the base does not have.", "Correct the name."),
    "unknown-include": _error("No partial of this name exists.", "Add templates/partials/NAME.j2 or correct the name."),
    "self-inheritance": _error("A template extends itself, directly or by others.", "Break the circle."),
    "include-cycle": _error("Templates include each other in a circle.", "Break the circle."),
    "chain-too-long": _error("Templates extend or include each other too deeply.", "Shorten the chain."),
    "path-escape": _error("A name leads out of its folder.", "Name a file inside its folder, without '..' or '/'."),
    "no-sections": _error("The template has neither prompts nor sections.", "Add `prompts:` or `sections:`."),
    "placeholder-unclosed": _warning("A '{{' has no '}}' on its line.", "Close the placeholder."),
    # Markdown
    "no-heading": _warning("The Markdown file has no heading.", "Begin with '# Title'."),
    "fence-unclosed": _error("A code fence is not closed.", "Add the closing fence."),
    "comment-unclosed": _error("An HTML comment is not closed.", "Add '-->'."),
    "instruction-unclosed": _error("'[[LLM:' is not closed.", "Add ']]'."),
    "no-agent-block": _error("The agent file has no fenced YAML block.", "Add ```yaml with `agent:` in it."),
    "no-items": _warning("The checklist has no item.", "Write items as '- [ ] text'."),
    "bad-item": _warning("A checklist item is not of the form '- [ ] text'.", "Write '- [ ] text'."),
    # teams and layers
    "unknown-workflow": _error("No workflow of this name exists.", "Add workflows/NAME.yaml or correct the name."),
    "unknown-provider": _error("No provider of this name is known.", "Name a known provider."),
    "team-lacks-agent": _error("The team lacks an agent that the workflow needs.", "Add the agent to the team."),
    "override-without-effect": _error("An override changes nothing.", "Correct the name of what it overrides."),
    "nothing-here": _error("The directory holds no definitions.", "Name a directory with templates/ or workflows/."),
}
"""Code -> default severity, meaning and hint."""
