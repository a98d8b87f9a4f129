package dev.obr.runtime;

import org.jspecify.annotations.Nullable;

/**
 * One step of a generation.
 *
 * @param id the token
 * @param text what can be shown now: whole characters, "" while a character or a possible stop string is unfinished
 * @param logprobs how likely the token was, if asked for
 */
public record GeneratedToken(int id, String text, @Nullable TokenLogprobs logprobs) {}
