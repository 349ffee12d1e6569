import { installRuntime } from '../support/world.js';

// Before any test can make the SDK install its own: a process has one, and its log lines are searched for secrets.
installRuntime();
