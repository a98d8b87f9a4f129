/**
 * The library that applications embed: {@link dev.obr.runtime.LanguageModel} opens a model, {@link dev.obr.runtime.Session} and {@link dev.obr.runtime.ChatSession} generate with it.
 */
@NullMarked
package dev.obr.runtime;

import org.jspecify.annotations.NullMarked;
