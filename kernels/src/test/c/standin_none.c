/* A library of which nothing is called: only what the test generates beside this. */
typedef int nothing;
