#!/usr/bin/env node
// A committed stub, so that npm can link the command before the first build.
import '../dist/main.js';
