// Starts Swagger UI on the description of this service; nothing is asked of other hosts, its validator neither.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  plugins: [
    // The page has a title of its own; and a link in the button that opens an operation is one thing too many for the keyboard.
    ({ React }) => ({
      components: { InfoContainer: () => null, DeepLink: ({ text }) => React.createElement("span", null, text) },
    }),
  ],
});
