"""The calls that window, terminal and scripts make, as values, with the type of what each one returns.

``Workbench.handle(call)`` answers them in process, ``Client`` over the local connection. One module a desk; all
of them are named here.
"""

from __future__ import annotations

from workbench.api.calls.agents import *
from workbench.api.calls.backup import *
from workbench.api.calls.chats import *
from workbench.api.calls.costs import *
from workbench.api.calls.demonstrations import *
from workbench.api.calls.documents import *
from workbench.api.calls.endpoints import *
from workbench.api.calls.evaluation import *
from workbench.api.calls.hub import *
from workbench.api.calls.judgements import *
from workbench.api.calls.judging import *
from workbench.api.calls.machine import *
from workbench.api.calls.mcp import *
from workbench.api.calls.models import *
from workbench.api.calls.prompts import *
from workbench.api.calls.rewards import *
from workbench.api.calls.runs import *
from workbench.api.calls.runtime import *
from workbench.api.calls.serving import *
from workbench.api.calls.training import *

AnyCall = (
    GetMachine | ListMethods | GetStatus | Subscribe | GetSettings | ChangeSettings
    | RegisterStarter | ListModels | ImportModel | InspectModel | RemoveModel | LoadModel | UnloadModel
    | BenchModel | SetDefaultModel | ExamineModel | RestartWorker
    | FindLocalModels | FitModel | FitHubFile | SuggestModel | ReadHubCard
    | ListEndpoints | AddEndpoint | ProbeEndpoint | ChangeEndpoint | AllowSending | EstimateCost
    | ListServedModels | AskServed | EmbedServed | RankServed | TokenizeServed | DetokenizeServed
    | DescribeServedTokenizer | GetApiState | RenewApiKey | ServeApi
    | SearchHub | ListHubFiles | DownloadModel | SetHubToken | GetHubAccount
    | ListNetworkRequests | ClearNetworkLog | ExportNetworkLog
    | ListCollections | CreateCollection | RenameCollection | SetPassageLength | SetEmbedder | RemoveCollection
    | ListDocuments | AddDocuments | UnlockDocument | AttachFiles | Unwatch | RemoveFolder | RemoveDocument
    | SearchDocuments | GetDocumentText | DrawPage
    | ListChats | GetChat | GetTrace | RenameChat | PinChat | DeleteChat | SetHead | ExportChat | MoveChat
    | WithdrawTool | CreateChatFolder | RenameChatFolder | RemoveChatFolder | Ask | FollowAnswer | StopAnswer
    | SelectSequence | InspectAnswer | CheckFormat | ShowPrompt
    | GetRuntime | InstallPack | FindPacks | DownloadPack | TryPack | UseProcessor | RemovePack
    | Diagnose | SaveReport | WarmUp | BackUp | InspectBackup | RestoreBackup
    | CheckUpdate | DownloadUpdate
    | ListMcpServers | SaveMcpServer | RemoveMcpServer | AgreeToMcpTools
    | ListTools | CallTool | Decide | ListFacts | AddFact | EditFact | ForgetFact
    | ListRuns | GetRun | FollowRun | StopRun | ResumeRun | PauseRun | RemoveRun | ExportRun
    | InspectData | ListDataSets | BuildData | RemoveDataSet | RateAnswer | EditAnswer | PlanTraining | Train
    | CreateQuestionSet | ListQuestionSets | ListQuestions | EditQuestion | RemoveQuestionSet
    | ListPrompts | GetPrompt | SavePrompt | RestorePrompt | RenamePrompt | RemovePrompt | ExportPrompt | ImportPrompt
    | ListDemonstrations | SaveDemonstration | RemoveDemonstration
    | InspectBenchmark | FetchBenchmark | RunBenchmark | GetLeaderboard
    | Evaluate | Optimise | AddScorers | SuggestScorers | ListEvaluations | GetEvaluation | ListGrid | GetCell
    | RateCell | RemoveEvaluation | ExportEvaluation
    | AddJudgements | ListJudgements | GetJudgement | ChangeJudgement | RemoveJudgements | UndoJudgement
    | ImportJudgements | ExportJudgements | GetJudgementStatistics | GetLearnable | MakePreferenceSet
    | ScoreAnswers | JudgePairs | GetWinRate
    | MakeCandidates | ListQueues | GetNextPair | SkipPair | RemoveQueue
    | ListAdapters | ImportAdapter | RenameAdapter | RemoveAdapter | MergeAdapter | ExportAdapter | QuantizeModel
)  # fmt: skip
