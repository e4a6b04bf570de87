// Read by dependency-cruiser, which takes aliases only from a file in webpack's format.
const { dirname } = require("node:path");

module.exports = { resolve: { alias: { "@": dirname(__dirname) } } };
