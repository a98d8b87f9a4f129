/** A model behind HTTP: OpenAI's endpoints, health, metrics, a page to chat with. */
@NullMarked
package dev.obr.server;

import org.jspecify.annotations.NullMarked;
