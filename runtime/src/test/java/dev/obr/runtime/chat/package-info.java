/** Conversations with tools, in the words that chat models are told of them and answer with. */
@NullMarked
package dev.obr.runtime.chat;

import org.jspecify.annotations.NullMarked;
