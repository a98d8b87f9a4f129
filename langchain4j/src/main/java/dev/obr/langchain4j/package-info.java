/** Models in the JVM as LangChain4j's chat models. */
@NullMarked
package dev.obr.langchain4j;

import org.jspecify.annotations.NullMarked;
