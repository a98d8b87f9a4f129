package dev.obr.models.hub;

/**
 * A file of a repository at one commit.
 *
 * @param path its name, with slashes, checked by {@link RepositoryPath}
 * @param size in bytes
 */
record HubFile(String path, long size, ContentHash hash) {}
