package dev.obr.runtime.chat;

/**
 * A function that an answer calls.
 *
 * @param arguments a JSON object
 */
public record ToolCall(String name, String arguments) {}
