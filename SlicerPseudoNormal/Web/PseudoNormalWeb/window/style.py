"""How the page looks: colours of both themes, and what Vuetify does not say."""

from __future__ import annotations

from typing import Any

DARK = {
    "background": "#0f1216",
    "surface": "#161a20",
    "surface-variant": "#232932",
    "primary": "#6fb1e8",
    "secondary": "#8b98a9",
    "error": "#ef7b72",
    "warning": "#e2b35a",
    "success": "#6cc08b",
    "info": "#6fb1e8",
}
LIGHT = {
    "background": "#eef1f4",
    "surface": "#ffffff",
    "surface-variant": "#dfe5ec",
    "primary": "#1c6fb0",
    "secondary": "#5a6878",
    "error": "#b93a30",
    "warning": "#96690a",
    "success": "#2c7d4c",
    "info": "#1c6fb0",
}


def vuetify() -> dict[str, Any]:
    """Vuetify's configuration."""
    field = {"density": "compact", "variant": "outlined", "hideDetails": True}
    return {
        "theme": {
            "defaultTheme": "dark",
            "themes": {"dark": {"dark": True, "colors": DARK}, "light": {"dark": False, "colors": LIGHT}},
        },
        "defaults": {
            "VBtn": {"density": "comfortable", "variant": "tonal", "rounded": "md", "size": "small"},
            "VSelect": field,
            "VTextField": field,
            "VTextarea": field,
            "VCheckbox": {"density": "compact", "hideDetails": True, "color": "primary"},
            "VSwitch": {"density": "compact", "hideDetails": True, "color": "primary"},
            "VSlider": {"density": "compact", "hideDetails": True, "color": "primary", "thumbSize": 14},
            "VTable": {"density": "compact"},
            "VList": {"density": "compact"},
        },
    }


CSS = """
html, body { overflow: hidden !important; }
.v-application { font-size: 13px; }
.v-btn { text-transform: none; letter-spacing: 0; font-weight: 500; }
.v-field { font-size: 13px; }
.v-field__input { min-height: 32px !important; padding-top: 4px; padding-bottom: 4px; }
.v-label, .v-checkbox .v-label, .v-switch .v-label { font-size: 13px; opacity: .85; }
.v-tab { text-transform: none; letter-spacing: 0; }

.pn-bar { border-bottom: 1px solid rgba(128, 144, 160, .18) !important; }
.pn-title { font-size: 15px; font-weight: 600; letter-spacing: .01em; margin-inline: 14px 10px; }
.pn-status { font-size: 12px; height: 26px; min-height: 26px; padding: 0 12px !important; gap: 14px;
  border-top: 1px solid rgba(128, 144, 160, .18) !important; }
.pn-quiet { opacity: .6; white-space: nowrap; }
.pn-dot { width: 8px; height: 8px; border-radius: 50%; display: inline-block; margin-inline-end: 7px; flex: none; }

.pn-drawer .v-navigation-drawer__content { scrollbar-width: thin; display: flex; flex-direction: column; }
.pn-tabs { position: sticky; top: 0; z-index: 5; background: rgb(var(--v-theme-surface)); flex: none;
  border-bottom: 1px solid rgba(128, 144, 160, .18); }
.pn-section { z-index: 0; }
.pn-section .v-expansion-panel { background: transparent; border-bottom: 1px solid rgba(128, 144, 160, .14);
  border-radius: 0; }
.pn-section .v-expansion-panel-title { min-height: 36px !important; padding: 6px 14px; font-size: 12px;
  font-weight: 600; letter-spacing: .04em; }
.pn-section .v-expansion-panel-title__overlay { display: none; }
.pn-section .v-expansion-panel-text__wrapper { padding: 2px 14px 14px; display: flex; flex-direction: column;
  gap: 9px; }
.pn-button { display: inline-flex; }
.pn-button.pn-wide, .pn-wide > .v-btn { width: 100%; }
.pn-row { display: flex; gap: 8px; align-items: center; }
.pn-row > * { flex: 1 1 0; min-width: 0; }
.pn-row .v-btn, .pn-row .pn-button { width: 100%; }
.pn-row .v-btn-toggle { display: flex; height: 30px !important; }
.pn-row .v-btn-toggle .v-btn { flex: 1 1 0; width: auto; min-width: 0; height: 30px; }
.pn-note { font-size: 12px; line-height: 1.45; opacity: .75; }
.pn-note:empty { display: none; }
.pn-warn { color: rgb(var(--v-theme-warning)); opacity: 1; }
.pn-error { color: rgb(var(--v-theme-error)); opacity: 1; }

.pn-engine { display: flex; align-items: center; min-width: 0; overflow: hidden; white-space: nowrap; }
.pn-log { max-height: 110px; overflow: auto; white-space: pre-wrap; font-size: 11px; margin-top: 4px; }
.pn-slide { display: flex; align-items: center; gap: 12px; font-size: 13px; }
.pn-slide > span:first-child { width: 86px; flex: none; opacity: .85; }
.pn-value { width: 34px; text-align: right; font-variant-numeric: tabular-nums; }
.pn-legend { display: flex; align-items: center; gap: 8px; font-size: 11px; opacity: .85;
  font-variant-numeric: tabular-nums; }
.pn-colours { height: 8px; flex: 1; border-radius: 4px; background: linear-gradient(90deg, #0d40d9, #fff, #d91a0d); }

.pn-table { width: 100%; border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
.pn-table th { text-align: right; font-weight: 500; opacity: .6; padding: 3px 4px; white-space: nowrap; }
.pn-table td { text-align: right; padding: 5px 4px; vertical-align: top; white-space: nowrap; }
.pn-table th.pn-words, .pn-table td.pn-words { text-align: left; width: 99%; white-space: normal; }
.pn-table tbody tr { cursor: pointer; border-top: 1px solid rgba(128, 144, 160, .14); }
.pn-table tbody tr:hover { background: rgba(128, 144, 160, .10); }
.pn-table tbody tr.pn-on { background: rgba(var(--v-theme-primary), .18); }

.pn-views { position: absolute; inset: 0; display: flex; background: #000; }
.pn-views .layout-grid-item { border: 0 !important; }
.pn-views .layout-grid-container { gap: 2px; background: #20252c !important; }
.pn-views .layout-grid-container > div { min-width: 0; min-height: 0; }
.pn-tile { position: relative; width: 100%; height: 100%; overflow: hidden; background: #000; color: #dfe6ee;
  user-select: none; }
.pn-picture { position: absolute !important; inset: 0; width: 100%; height: 100%; }
.pn-tile .pn-label, .pn-tile .pn-place, .pn-tile .pn-side { position: absolute; pointer-events: none; z-index: 2;
  text-shadow: 0 0 3px #000, 0 0 3px #000; font-size: 12px; }
.pn-tile .pn-label { top: 8px; left: 10px; font-weight: 600; }
.pn-tile .pn-place { top: 8px; right: 10px; opacity: .85; font-variant-numeric: tabular-nums; }
.pn-tile .pn-side { opacity: .7; font-weight: 600; }
.pn-tile .pn-left { left: 10px; top: calc(50% - 8px); }
.pn-tile .pn-right { right: 10px; top: calc(50% - 8px); }
.pn-tile .pn-top { top: 8px; left: 0; right: 0; text-align: center; }
.pn-tile .pn-bottom { bottom: 26px; left: 0; right: 0; text-align: center; }
.pn-tile .pn-slider { position: absolute; left: 14px; right: 14px; bottom: 0; z-index: 3; opacity: .35;
  transition: opacity .15s; }
.pn-tile:hover .pn-slider { opacity: .95; }
.pn-tile .pn-tool { position: absolute; right: 6px; top: 6px; z-index: 3; color: #dfe6ee; }

.pn-keys td { padding: 3px 14px 3px 0; font-size: 13px; }
kbd { display: inline-block; min-width: 22px; text-align: center; padding: 1px 6px; border-radius: 4px;
  font: 600 12px/1.5 ui-monospace, monospace; background: rgba(128, 144, 160, .18);
  border: 1px solid rgba(128, 144, 160, .3); }
"""
