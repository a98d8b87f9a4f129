package dev.obr.runtime;

/**
 * One step of a generation.
 *
 * @param id the token
 * @param text what can be shown now: whole characters, "" while a character or a possible stop string is unfinished
 */
public record GeneratedToken(int id, String text) {}
