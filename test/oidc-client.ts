/** The dashboard, as the identity provider of the tests knows it. */
export const CLIENT = { id: "tokendesk", secret: "the-secret-of-the-client-at-the-identity-provider" };
