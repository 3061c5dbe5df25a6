"""The commands of the main window, as rows."""

from __future__ import annotations

from aoi_app.ui.widgets.actions import ActionRow

ROWS = (
    ActionRow("open_folder", "Open &folder of strips…", "Ctrl+O", "Inspect the pictures of a folder as a web"),
    ActionRow(
        "picture_layout",
        "Pictures: &one web or separate…",
        "Ctrl+Shift+O",
        "Say again whether the pictures of the folder are neighbours on one web",
    ),
    ActionRow("open_loom", "Built-in &loom", "Ctrl+L", "Inspect procedural cloth; needs no files"),
    ActionRow("camera", "&Cameras…", "Ctrl+K", "Find cameras, set one up, run the line with it"),
    ActionRow("find_cameras", "Find cameras a&gain", "Ctrl+F5", "Search all producers for cameras", page="cameras"),
    ActionRow("open_bundle", "Open &model bundle…", "Ctrl+B", "Choose the model that inspects"),
    ActionRow("model_before", "Model &before", "Ctrl+Shift+B", "Use the model again that was used before this one"),
    ActionRow("samples", "Sam&ples…", "Ctrl+N", "Add, sort and label the samples that models are taught with"),
    ActionRow("models", "Learn &and models…", "Ctrl+M", "Teach fabrics, compare models, choose the one that inspects"),
    ActionRow("recipe", "&Recipe…", "Ctrl+R", "Scale, margins, thresholds of this cloth"),
    ActionRow("set_up", "Set &up light and focus…", "Ctrl+F", "Open the camera to set its light and focus"),
    ActionRow(
        "measure", "Mea&sure scale", "M", "Two clicks on the cloth and the length between them", True, page="line"
    ),
    ActionRow(
        "leave_out",
        "Lea&ve out a lane",
        "X",
        "Two clicks on the cloth: what lies between is not inspected",
        True,
        page="line",
    ),
    ActionRow("collect", "&Collect samples…", "Ctrl+G", "Take samples of good cloth while the web runs"),
    ActionRow("export", "&Export roll…", "Ctrl+E", "Write defects.csv and defects.json of this roll"),
    ActionRow("quit", "&Quit", "Ctrl+Q", "End the program; the roll is closed"),
    ActionRow("start", "&Start", "F5", "Begin a roll, or go on after a pause"),
    ActionRow("work_order", "&Work order…", "F7", "Type or scan what the mill knows of this roll or the next one"),
    ActionRow("pause", "&Pause", "F6", "Stop looking at the web for a while"),
    ActionRow("stop", "S&top", "F8", "End the roll"),
    ActionRow("splice", "Spl&ice", "F9", "The cloth is spliced here: another web follows on the same roll"),
    ActionRow("acknowledge", "&Acknowledge alarm", "A", "I have taken note of the alarms that are shown"),
    ActionRow(
        "alarm_list", "All a&larms…", "Shift+A", "Every alarm that is open, who has seen it, and silence for a time"
    ),
    ActionRow("follow", "&Follow the web", "F", "Show the newest cloth", True, page="line"),
    ActionRow("next", "&Next defect", "N", "Jump to the next defect in the table", page="line"),
    ActionRow("previous", "&Previous defect", "P", "Jump to the previous defect in the table", page="line"),
    ActionRow("heat", "&Heat map", "H", "Show or hide the heat map", True, page="line"),
    ActionRow("unlock", "Unloc&k threshold", "L", "Let the threshold be changed for a while", page="line"),
    ActionRow("lower", "&Lower threshold", "-", "Try what a lower threshold would show", page="line"),
    ActionRow("raise", "&Raise threshold", "+", "Try what a higher threshold would show", page="line"),
    ActionRow("table", "Defect &table", "Ctrl+T", "Move the keyboard to the defect table", page="line"),
    ActionRow("confirm", "&Confirm", "C", "The chosen defect is one", page="line"),
    ActionRow("reject", "&Reject", "R", "The chosen defect is a false alarm", page="line"),
    ActionRow("clear_verdict", "Clear &verdict", "V", "Take back what was said of the chosen defect", page="line"),
    ActionRow("name_type", "Name its &type…", "D", "Say what kind of fault the chosen defect is", page="line"),
    ActionRow("theme", "&Dark or light", "T", "Change the colours"),
    ActionRow("full_screen", "F&ull screen", "F11", "Use the whole screen", True),
    ActionRow("keys", "&Keyboard", "F1", "List all shortcuts"),
)


MENUS = (
    (
        "&File",
        (
            "open_folder",
            "picture_layout",
            "open_loom",
            "camera",
            "find_cameras",
            "set_up",
            "open_bundle",
            "model_before",
            "samples",
            "models",
            "recipe",
            "measure",
            "leave_out",
            "",
            "export",
            "",
            "quit",
        ),
    ),
    ("&Roll", ("start", "pause", "splice", "stop", "", "work_order", "", "collect", "", "acknowledge", "alarm_list")),
    ("&Defect", ("confirm", "reject", "clear_verdict", "", "name_type")),
    (
        "&View",
        ("follow", "next", "previous", "", "heat", "unlock", "lower", "raise", "", "table", "theme", "full_screen"),
    ),
    ("&Help", ("keys",)),
)
