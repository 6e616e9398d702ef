// Copied over the theme's own file of this name, 1.46 MB that every page would load. The theme's style sheet brings the
// same icons as fonts, and a browser fetches a font only where it is used.
